import { Argument, Command, Flag } from "effect/cli"
import { operateHere, prepareAndOperate } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions, text, yes } from "../operate/options.ts"
import { peopleOptions } from "../operate/people.ts"
import { exportGrants, requireDestination } from "./export.ts"
import { keyOption } from "./key.ts"
import { openExport } from "./open.ts"

/** `pollen export …` */
export const exportCommand = Command.make(
  "export",
  {
    ...operatorOptions,
    ...peopleOptions,
    to: text("to", "A new file for the export, readable by its owner only: one encrypted line for each person"),
    toDatabase: isGiven(
      "to-database",
      "Write the newest tokens back into D1 instead, as a mirror; the object keeps holding them (a rollback to live)",
    ),
    keyFile: keyOption,
    dryRun,
    yes,
  },
  (options) => prepareAndOperate(options, requireDestination(options), (to) => exportGrants(options, to)),
).pipe(
  Command.withDescription(
    "Export the newest grants of everybody, or of some people, from the objects into an encrypted file or back into D1. Prints no token and changes no object. Where a provider rotates refresh tokens, the next refresh makes the file stale.",
  ),
  Command.withShortDescription("Export grants into an encrypted file, or back into D1"),
  Command.withExamples([
    { command: "openssl rand -base64 32 > export.key", description: "Make a key once, and keep it safe" },
    { command: "pollen export --to grants.jsonl --key-file export.key", description: "Everybody" },
    {
      command: "pollen export ada --to ada.jsonl --key-file public.jwk.json",
      description: "One person, for the holder of the private key",
    },
    { command: "pollen export --to-database --dry-run", description: "Show who would be written back into D1" },
  ]),
)

/** `pollen open-export …` */
export const openExportCommand = Command.make(
  "open-export",
  {
    json: operatorOptions.json,
    file: Argument.String("export").pipe(Argument.withDescription("A file that the export command wrote")),
    to: Flag.String("to").pipe(
      Flag.withDescription("A new file, readable by its owner only; it holds tokens in plain text"),
    ),
    keyFile: keyOption,
  },
  (options) => operateHere(options, openExport(options)),
).pipe(
  Command.withDescription(
    "Decrypt an export with its key into a file: one JSON object on each line. Asks no worker and prints no token.",
  ),
  Command.withShortDescription("Decrypt an export with its key into a file"),
  Command.withExamples([
    {
      command: "pollen open-export grants.jsonl --key-file export.key --to opened.jsonl",
      description: "Decrypt an export",
    },
  ]),
)

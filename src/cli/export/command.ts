import { Argument, Command, Flag } from "effect/cli"
import { operate, operateHere } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions, text, yes } from "../operate/options.ts"
import { peopleOptions } from "../operate/people.ts"
import { exportGrants } from "./export.ts"
import { keyOption } from "./key.ts"
import { openExport } from "./open.ts"

/** `pollen export …` */
export const exportCommand = Command.make(
  "export",
  {
    ...operatorOptions,
    ...peopleOptions,
    to: text("to", "A new file, which only its owner reads: one line for each person, encrypted"),
    toDatabase: isGiven(
      "to-database",
      "Write the newest tokens back into D1 instead, as a mirror; the object goes on to hold them (a rollback to live)",
    ),
    keyFile: keyOption,
    dryRun,
    yes,
  },
  (options) => operate(options, exportGrants(options)),
).pipe(
  Command.withDescription(
    "Take everybody's grants, or some people's, out of the objects, in their newest form: into an encrypted file, or back into D1. Never shows a token. The objects go on as they are; a provider that rotates refresh tokens makes a file old with the next refresh.",
  ),
  Command.withShortDescription("Grants into an encrypted file, or back into D1"),
  Command.withExamples([
    { command: "openssl rand -base64 32 > export.key", description: "Make a key, once, and keep it safe" },
    { command: "pollen export --to grants.jsonl --key-file export.key", description: "Everybody" },
    {
      command: "pollen export ada --to ada.jsonl --key-file public.jwk.json",
      description: "One person, for whoever has the private key",
    },
    { command: "pollen export --to-database --dry-run", description: "Who would be written back into D1" },
  ]),
)

/** `pollen open-export …` */
export const openExportCommand = Command.make(
  "open-export",
  {
    json: operatorOptions.json,
    file: Argument.String("export").pipe(Argument.withDescription("A file that pollen export wrote")),
    to: Flag.String("to").pipe(
      Flag.withDescription("A new file, which only its owner reads; it holds tokens in the clear"),
    ),
    keyFile: keyOption,
  },
  (options) => operateHere(options, openExport(options)),
).pipe(
  Command.withDescription(
    "Open an export with its key, into a file: one JSON object on each line. Asks no worker and shows no token.",
  ),
  Command.withShortDescription("Open an export with its key, into a file"),
  Command.withExamples([
    { command: "pollen open-export grants.jsonl --key-file export.key --to opened.jsonl", description: "Open it" },
  ]),
)

import { globSync, readFileSync } from "node:fs"
import { NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { pollen } from "../../local/pollen.ts"

const documents = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md").sort()]
/** Those whose commands people follow one by one. */
const guides = ["docs/operating.md", "docs/runbook-rollout.md", "docs/runbook-rollback.md", "docs/runbook-cleanup.md"]
/** They would begin something here, instead of asking where the worker is. */
const starting = new Set(["start", "rehearse"])

const wordsOf = (command: string): ReadonlyArray<string> =>
  [...command.trim().matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

/** The rows of the table whose first column is what follows `npm run pollen --`. */
const tableIn = (text: string): string => /\| `npm run pollen --` \| does \|\n\|.*\n((?:\|.*\n)+)/.exec(text)?.[1] ?? ""

/** Whatever a document tells somebody to type. */
const commandsIn = (document: string): ReadonlyArray<ReadonlyArray<string>> => {
  const text = readFileSync(document, "utf8")
  const typed = [...text.matchAll(/npm run pollen -- ([^`\n#]+)/g)].map(([, words = ""]) => words)
  const listed = tableIn(text)
    .split("\n")
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, words = ""]) => words))
  return [...typed, ...listed].map(wordsOf)
}

const silent = CliOutput.layerPresenter({ present: () => Effect.void })

describe("every command that a document tells", () => {
  beforeAll(() => {
    vi.stubEnv("POLLEN_MIGRATION_URL", "")
    vi.stubEnv("POLLEN_ADMIN_TOKEN", "")
    vi.stubEnv("POLLEN_EXPORT_KEY", "")
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })

  it.each(documents)("can be typed: %s", async (document) => {
    const commands = commandsIn(document).filter(([name = ""]) => !starting.has(name))
    expect(commands.length).toBeGreaterThan(guides.includes(document) ? 10 : -1)
    for (const command of commands) {
      const parameters = command[0] === "open-export" ? command : [...command, "--state-dir", "/nowhere"]
      const run = Command.runWith(pollen, { version: "0" })(parameters)
      const exit = await Effect.runPromiseExit(run.pipe(Effect.provide(silent), Effect.provide(NodeServices.layer)))
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      // It was read, and then lacks a worker or a file.
      expect(CliError.isCliError(error) ? command.join(" ") : "").toBe("")
      expect(error).toMatchObject({ message: expect.stringMatching(/^Nothing says where|cannot be read/) })
    }
  })
})

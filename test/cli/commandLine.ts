import { NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { vi } from "vitest"
import { exitCodeOf } from "../../src/cli/exit.ts"
import { pollen } from "../../src/cli/pollen.ts"

interface Ended {
  readonly code: number
  /** What a person reads of the error; empty after a success. */
  readonly message: string
  readonly out: string
}

const messageOf = (error: unknown): string => {
  if (CliError.isCliError(error) && error._tag === "ShowHelp")
    return error.errors.map(({ message }) => message).join("\n")
  return error instanceof Error ? error.message : String(error)
}

const silent = CliOutput.layerPresenter({ present: () => Effect.void })

/** Runs a command of `pollen` inside the test, against the worker at this URL. */
export const runCommand = async (url: string, ...parameters: ReadonlyArray<string>): Promise<Ended> => {
  let out = ""
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.stubEnv("POLLEN_MIGRATION_URL", url)
  vi.stubEnv("POLLEN_ADMIN_TOKEN", "x".repeat(32))
  vi.stubEnv("POLLEN_EXPORT_KEY", Buffer.alloc(32, 7).toString("base64"))
  const run = Command.runWith(pollen, { version: "0" })(parameters)
  const exit = await Effect.runPromiseExit(run.pipe(Effect.provide(silent), Effect.provide(NodeServices.layer)))
  vi.unstubAllEnvs()
  write.mockRestore()
  return Exit.isSuccess(exit)
    ? { code: 0, message: "", out }
    : { code: exitCodeOf(exit.cause), message: messageOf(Cause.squash(exit.cause)), out }
}

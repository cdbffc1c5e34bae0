import { expect, vi } from "vitest"
import { pollen } from "../../local/pollen.ts"
import { tokenPattern } from "../../local/simulator/server/state/tokenText.ts"
import { run } from "../../src/cli/run.ts"
import type { Outcome } from "./pollen.ts"

/** Commands come one after the other: a process has one stdout. */
let before: Promise<unknown> = Promise.resolve()

/**
 * Runs a command to its end as `startPollenWith` does, but inside this process: a process of its own takes longer to start than most
 * commands run. Whatever ends by a signal wants one.
 */
export const typed = (
  environment: Readonly<Record<string, string>>,
  ...parameters: ReadonlyArray<string>
): Promise<Outcome> => {
  const outcome = before.then(() => runHere(environment, parameters))
  before = outcome.catch(() => undefined)
  return outcome
}

const runHere = async (
  environment: Readonly<Record<string, string>>,
  parameters: ReadonlyArray<string>,
): Promise<Outcome> => {
  const said = { out: "", err: "" }
  const hear = (stream: keyof typeof said) => (text: unknown) => {
    said[stream] += String(text)
    return true
  }
  const code = Promise.withResolvers<number>()
  const { argv } = process
  const listening = process.listenerCount("SIGTERM")
  // A command holds the signals for as long as it runs; what it ends with, unless that is 0, it says right after.
  const onSilence = () => {
    if (process.listenerCount("SIGTERM") === listening) setImmediate(() => code.resolve(0))
  }
  vi.spyOn(process.stdout, "write").mockImplementation(hear("out"))
  vi.spyOn(process.stderr, "write").mockImplementation(hear("err"))
  vi.spyOn(console, "log").mockImplementation((text) => void hear("out")(`${text}\n`))
  vi.spyOn(console, "error").mockImplementation((text) => void hear("err")(`${text}\n`))
  vi.spyOn(process, "exit").mockImplementation((given): never => {
    code.resolve(Number(given ?? 0))
    return undefined as never
  })
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  process.argv = [...argv.slice(0, 2), ...parameters]
  process.on("removeListener", onSilence)
  try {
    run(pollen)
    const outcome = { code: await code.promise, ...said }
    expect(said.out + said.err).not.toMatch(tokenPattern)
    return outcome
  } finally {
    process.removeListener("removeListener", onSilence)
    process.argv = argv
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  }
}

import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { endProgress, progress, say } from "../progress.ts"
import { type Said, understand } from "./said.ts"

const usage = `Plays random sequences of faults against pollen, and has an auditor judge what is left when quiet has returned.

  npm run bench -- faults                     10,000 sequences
  npm run bench -- faults --sequences 200     so many
  npm run bench -- faults --seed 7            from another seed; the same seed has the same sequences
  npm run bench -- faults --seed 7 --path P   one sequence again, as a failure prints it
  npm run bench -- faults --help              this text

Exit code: 0 if every promise was kept in every sequence, 1 if one was not, 2 if the arguments are wrong.
`

const wrong = (problem: string): never => {
  process.stderr.write(`${problem}\n\n${usage}`)
  return process.exit(2)
}

const wholeNumber = (name: string, text: string): string =>
  /^\d{1,9}$/.test(text) ? text : wrong(`--${name} takes a whole number`)

const readArguments = (parameters: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        sequences: { type: "string", default: "10000" },
        path: { type: "string", default: "" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values
  } catch (problem) {
    return wrong(problem instanceof Error ? problem.message : String(problem))
  }
}

const summary = ({ polls, troubles }: Extract<Said, { polls: unknown }>) => {
  const part = polls.begun === 0 ? 1 : polls.succeeded / polls.begun
  const times = Object.entries(troubles).sort(([, one], [, other]) => other - one)
  say(`${polls.succeeded} of ${polls.begun} polls succeeded in the end: ${(100 * part).toFixed(4)} %`)
  for (const [what, often] of times) say(`  ${String(often).padStart(8)}  ${what}`)
}

/** Runs the campaign of test/campaign in workerd, and tells how far it is. */
export const faults = async (parameters: ReadonlyArray<string>): Promise<number> => {
  const values = readArguments(parameters)
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const sequences = wholeNumber("sequences", values.sequences)
  const seed = wholeNumber("seed", values.seed)
  say(`${sequences} sequences from seed ${seed}`)
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "workerd", "--silent=false"]
  const child = spawn(process.execPath, [...vitest, "test/campaign/campaign.test.ts"], {
    env: {
      ...process.env,
      NO_COLOR: "1",
      CAMPAIGN_SEQUENCES: sequences,
      CAMPAIGN_SEED: seed,
      CAMPAIGN_PATH: values.path,
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  process.once("SIGINT", () => child.kill("SIGINT"))
  const startedAt = performance.now()
  const tell = progress("faults")
  /** What the run prints besides: shown when it fails. */
  const rest: Array<string> = []
  let outcome: Extract<Said, { polls: unknown }> | undefined
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface(stream)) {
      const said = understand(line)
      if (said === undefined) rest.push(line)
      else if ("polls" in said) outcome = said
      else {
        const seconds = (performance.now() - startedAt) / 1000
        const left = (seconds / said.done) * Math.max(0, Number(sequences) - said.done)
        tell(`${said.done} of ${sequences}, ${seconds.toFixed(0)} s, about ${left.toFixed(0)} s left`)
      }
    }
  }
  const ended = once(child, "exit")
  await Promise.all([read(child.stdout), read(child.stderr)])
  const [code]: Array<unknown> = await ended
  endProgress()
  if (outcome !== undefined) summary(outcome)
  say(`${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  if (code === 0) {
    say("Every promise was kept in every sequence.")
    return 0
  }
  say(rest.filter((line) => line.trim() !== "" && !line.startsWith("stdout |")).join("\n"))
  say("A promise was broken. To play that sequence again, give its seed and path.")
  return 1
}

import { defaultStateDir } from "../../src/cli/state/keys.ts"
import { typed } from "../../src/cli/typed.ts"

/** Something to try: what it does, and the command to paste. None begins with a comment, which not every shell takes at its prompt. */
export type Step = readonly [what: string, command: string]

export const renderSteps = (steps: ReadonlyArray<Step>): string =>
  steps.map(([what, command]) => `  ${what}\n    ${command}`).join("\n\n")

/** Makes JSON readable, with nothing but what the checkout has. */
export const readable = "npm run -s json"

/** A request in the person's name; its answer as a person can read it. */
export const askAs = (url: string, ...parameters: ReadonlyArray<string>): string =>
  [`curl -sH "Authorization: Bearer $TOKEN"`, ...parameters, url, "|", readable].join(" ")

/** A command of an operator, who asks the stack that keeps its keys in `stateDir`. */
export const operator = (words: string, stateDir: string): string =>
  typed(`${words}${stateDir === defaultStateDir ? "" : ` --state-dir ${stateDir}`}`)

/** Seconds as a person says them. */
const period = (seconds: number) => (seconds < 120 ? `${seconds} s` : `${seconds / 60} minutes`)

export const cronStep = (cronUrl: string, seconds: number): Step => [
  `Run cron, which runs by itself every ${period(seconds)} here:`,
  `curl -sX POST ${cronUrl} | ${readable}`,
]

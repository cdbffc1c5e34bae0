import type { Reporter } from "vitest/node"
import { tokenPattern } from "../local/simulator/server/state/tokenText.ts"

/** What no process of a test run may print, whatever the test was about. */
const forbidden: ReadonlyArray<readonly [what: string, pattern: RegExp]> = [
  ["an RPC stub or result that was not disposed", /not disposed properly/],
  ["a token", tokenPattern],
]

/**
 * What workerd tells on its own of what a test broke on purpose, also where the program caught the error: pages of it, which
 * hide what matters. Anything else it says is shown.
 */
const provoked: ReadonlyArray<RegExp> = [
  /^(uncaught )?exception\b[^\n]*\b(disconnected:|Network connection lost)/,
  /^(uncaught )?exception\b[^\n]*\b(The RPC receiver does not implement|Application called abortAllDurableObjects)/,
  /^uncaught exception\b[^\n]*Error: (nobody listens|gone)\b/,
  /^NOSENTRY SQLite alarm handler canceled/,
]
const sourcemap = /^(\S+ )?Sourcemap for "[^"]+" points to missing source files\s*$/

type Write = typeof process.stdout.write

/** Reads along with everything that a run prints, of every project and of workerd, and fails the run over what is {@link forbidden}. */
export class OutputWatch implements Reporter {
  readonly #found = new Map<string, string>()
  #provoked = 0

  onInit() {
    for (const stream of [process.stdout, process.stderr]) {
      const write: (...parameters: Parameters<Write>) => boolean = stream.write.bind(stream)
      stream.write = ((...parameters: Parameters<Write>) => {
        const [chunk] = parameters
        const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
        return this.#isNoise(text) ? true : write(...parameters)
      }) as Write
    }
  }

  onTestRunStart() {
    this.#found.clear()
    this.#provoked = 0
  }

  /** Logs of tests that pass are not printed, so they are read here. */
  onUserConsoleLog({ content }: { readonly content: string }) {
    this.#read(content)
  }

  onTestRunEnd() {
    if (this.#provoked > 0) {
      process.stdout.write(
        `\n (left out: ${this.#provoked} remarks of workerd about what the tests broke on purpose)\n`,
      )
    }
    if (this.#found.size === 0) return
    process.exitCode = 1
    for (const [what, line] of this.#found) process.stderr.write(`\n FAIL  the run printed ${what}: ${line}\n`)
  }

  #isNoise(text: string): boolean {
    this.#read(text)
    const isProvoked = provoked.some((pattern) => pattern.test(text))
    if (isProvoked) this.#provoked += 1
    return isProvoked || sourcemap.test(text)
  }

  #read(text: string) {
    for (const [what, pattern] of forbidden) {
      const line = text.split("\n").find((one) => pattern.test(one))
      if (line !== undefined)
        this.#found.set(what, line.replace(new RegExp(tokenPattern, "g"), "(token)").slice(0, 300))
    }
  }
}

import { createInterface } from "node:readline"
import { Effect } from "effect"
import { Refused } from "../exit.ts"
import { columnsOf, wrap } from "../terminal.ts"

/** The stream that a person types into. */
type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean }

const readLine = (input: Input) =>
  Effect.callback<string>((resume) => {
    // Without its own terminal mode, so that Ctrl-C reaches the program as ever.
    const lines = createInterface({ input, terminal: false })
    lines.once("line", (line) => {
      resume(Effect.succeed(line))
      lines.close()
    })
    lines.once("close", () => resume(Effect.succeed("")))
    return Effect.sync(() => lines.close())
  })

/**
 * Asks a person to type `word` before something that cannot be undone, or that concerns many people. A script gives `--yes`;
 * without it a script is refused. The question goes to stderr, so that it is visible when stdout is a pipe.
 */
export const confirm = Effect.fn("confirm")(function* (
  {
    yes,
    word,
    about,
  }: {
    readonly yes: boolean
    readonly word: string
    /** A sentence that says what is about to be done. */
    readonly about: string
  },
  input: Input = process.stdin,
) {
  if (yes) return
  if (input.isTTY !== true) {
    return yield* new Refused({ message: `${about} Nothing was done: give --yes to confirm without a terminal.` })
  }
  process.stderr.write(`${wrap(about, columnsOf(process.stderr))}\nType "${word}" to confirm: `)
  const typed = yield* readLine(input)
  if (typed.trim() !== word) return yield* new Refused({ message: `Nothing was done: "${word}" was not typed.` })
})

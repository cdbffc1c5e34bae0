import { createInterface } from "node:readline"
import { Effect } from "effect"
import { Refused } from "../exit.ts"

/** Where a person types. */
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
 * Has a person type `word` before something that cannot be undone, or that concerns many. A script says `--yes`; one that does
 * not is refused, since there is nobody to ask. The question goes to stderr, so that it is seen when stdout is a pipe.
 */
export const confirm = Effect.fn("confirm")(function* (
  {
    yes,
    word,
    about,
  }: {
    readonly yes: boolean
    readonly word: string
    /** What is about to be done: a sentence. */
    readonly about: string
  },
  input: Input = process.stdin,
) {
  if (yes) return
  if (input.isTTY !== true) {
    return yield* new Refused({ message: `${about} Nothing was done: give --yes to confirm it without a terminal.` })
  }
  process.stderr.write(`${about}\nType "${word}" to go on: `)
  const typed = yield* readLine(input)
  if (typed.trim() !== word) return yield* new Refused({ message: `Nothing was done: "${word}" was not typed.` })
})

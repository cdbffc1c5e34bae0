import { Context, Effect, Layer } from "effect"
import { Display, type Tone } from "../Display.ts"

/** The result of a command: words for a person, or with `--json` one object on stdout for a program. */
export class Outcome extends Context.Service<
  Outcome,
  {
    readonly isJson: boolean
    /** Prints the result. Called once, at the end; `words` are shown without `--json`. */
    readonly tell: (object: object, words: string, tone?: Tone) => Effect.Effect<void>
    /** Prints the name and message of an error with `--json`, unless a result was printed. */
    readonly tellError: (error: { readonly _tag: string; readonly message: string }) => Effect.Effect<void>
  }
>()("pollen/cli/Outcome") {
  static readonly layer = (isJson: boolean): Layer.Layer<Outcome, never, Display> =>
    Layer.effect(
      Outcome,
      Effect.map(Display, ({ line }) => {
        let isTold = false
        const print = (object: object) =>
          Effect.sync(() => {
            isTold = true
            process.stdout.write(`${JSON.stringify(object)}\n`)
          })
        return {
          isJson,
          tell: (object, words, tone) => (isJson ? print(object) : line(words, tone)),
          tellError: ({ _tag, message }) =>
            Effect.suspend(() => (isJson && !isTold ? print({ error: { name: _tag, message } }) : Effect.void)),
        }
      }),
    )
}

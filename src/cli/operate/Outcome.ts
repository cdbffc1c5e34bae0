import { Context, Effect, Layer } from "effect"
import { Display } from "../Display.ts"

/** What a command came to: words for a person, or with `--json` one object on the last line of stdout for a program. */
export class Outcome extends Context.Service<
  Outcome,
  {
    readonly isJson: boolean
    /** Called once, at the end. `words` are shown where nobody asked for the object. */
    readonly tell: (object: object, words: string) => Effect.Effect<void>
    /** What a program is told where nothing has been told: the name of the error and its sentence. */
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
          tell: (object, words) => (isJson ? print(object) : line(words)),
          tellError: ({ _tag, message }) =>
            Effect.suspend(() => (isJson && !isTold ? print({ error: { name: _tag, message } }) : Effect.void)),
        }
      }),
    )
}

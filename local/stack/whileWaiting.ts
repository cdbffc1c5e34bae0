import { Clock, Effect } from "effect"

/** Where it is shown: stdout or stderr. */
export interface Output {
  readonly isTTY?: boolean
  /** Characters to a line; of a terminal. */
  readonly columns?: number
  write(text: string): unknown
}

/** Between two lines where there is no terminal: often enough to see that something goes on. */
const plainEvery = "5 seconds"
const redrawEvery = "1 second"

/** Shows what is being waited for and for how long, until `effect` ends: one line of a terminal, a plain line every few seconds elsewhere. */
export const whileWaiting = Effect.fnUntraced(function* <A, E, R>(
  output: Output,
  phase: () => string,
  effect: Effect.Effect<A, E, R>,
) {
  const startedAt = yield* Clock.currentTimeMillis
  const isTerminal = output.isTTY === true
  const show = Effect.map(Clock.currentTimeMillis, (now) => {
    const text = `${phase()}, ${Math.round((now - startedAt) / 1000)} s`
    // Without wrapping: a line that takes two cannot be redrawn in place.
    output.write(isTerminal ? `\r\u001b[K${text.slice(0, (output.columns || 80) - 1)}` : `${text}\n`)
  })
  const ticking = isTerminal
    ? Effect.forever(Effect.andThen(show, Effect.sleep(redrawEvery)))
    : Effect.forever(Effect.delay(show, plainEvery))
  const clear = Effect.sync(() => isTerminal && output.write("\r\u001b[K"))
  return yield* Effect.raceFirst(effect, ticking).pipe(Effect.ensuring(clear))
})

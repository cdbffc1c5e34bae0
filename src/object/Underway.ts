import { Context, Deferred, Effect, Fiber, Layer } from "effect"

/** What runs in the object now, so that an erasure can end it: nothing that began before may write after. */
export class Underway extends Context.Service<
  Underway,
  {
    /** Runs an effect as a part of what an erasure ends. One that comes while an erasure is made waits for it, and finds its tombstone. */
    readonly track: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** Interrupts everything that is tracked, waits until it has ended, and runs `erase` before anything else begins. */
    readonly end: <A, E, R>(erase: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("pollen/object/Underway") {
  static readonly layer: Layer.Layer<Underway> = Layer.sync(Underway, () => {
    const running = new Set<Fiber.Fiber<unknown, unknown>>()
    let erasing: Deferred.Deferred<void> | undefined

    const register = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.withFiber<A, E, R>((fiber) => {
        running.add(fiber)
        return Effect.ensuring(
          effect,
          Effect.sync(() => running.delete(fiber)),
        )
      })

    return {
      track: (effect) =>
        Effect.suspend(() =>
          erasing === undefined ? register(effect) : Effect.andThen(Deferred.await(erasing), register(effect)),
        ),
      end: (erase) =>
        Effect.suspend(() => {
          const ended = Deferred.makeUnsafe<void>()
          erasing = ended
          return Effect.andThen(Fiber.interruptAll(running), erase).pipe(
            Effect.ensuring(
              Effect.sync(() => {
                erasing = undefined
                Deferred.doneUnsafe(ended, Effect.void)
              }),
            ),
          )
        }),
    }
  })
}

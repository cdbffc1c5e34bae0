import { Effect } from "effect"
import { SealBroken } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"

/**
 * Opens a grant of each provider, and says which do not open: one that does not, keeps no other back. Fails where nothing opens, and
 * something should have.
 */
export const eachThatOpens = Effect.fnUntraced(function* <A, E, R>(
  wanted: ReadonlyArray<Provider>,
  open: (provider: Provider) => Effect.Effect<ReadonlyArray<A>, E | SealBroken, R>,
): Effect.fn.Return<
  { readonly opened: ReadonlyArray<A>; readonly broken: ReadonlyArray<SealBroken> },
  E | SealBroken,
  R
> {
  const broken: Array<SealBroken> = []
  const opened = yield* Effect.forEach(wanted, (provider) =>
    Effect.catchIf(
      open(provider),
      (error): error is SealBroken => error instanceof SealBroken,
      (error) =>
        Effect.sync((): ReadonlyArray<A> => {
          broken.push(error)
          return []
        }),
    ),
  )
  const [first] = broken
  if (first !== undefined && opened.every(({ length }) => length === 0)) return yield* first
  return { opened: opened.flat(), broken }
})

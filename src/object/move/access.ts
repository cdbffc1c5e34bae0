import { eq } from "drizzle-orm"
import { Effect } from "effect"
import { accounts } from "../../../schema/object.ts"
import { HeldElsewhere } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import { counted } from "../grants/counters.ts"
import { GrantStore } from "../grants/GrantStore.ts"
import { Grants } from "../grants/Grants.ts"
import { isHeld, rearm, tombstoneOf } from "../person.ts"
import { Store } from "../Store.ts"
import { fingerprintOf } from "./fingerprints.ts"

/** State of an account this object does not hold, with a fingerprint of its copy when a key is given. */
export const heldElsewhere = Effect.fnUntraced(function* (provider: Provider, compareKey?: string) {
  const store = yield* Store
  const { db } = store
  const { readToken } = yield* GrantStore
  const known = db.select({ epoch: accounts.epoch }).from(accounts).where(eq(accounts.provider, provider)).get()
  const shown =
    compareKey === undefined
      ? null
      : // A copy that does not open has no fingerprint, and agrees with nothing.
        yield* Effect.orElseSucceed(fingerprintOf(provider, compareKey), () => null)
  const hasCopy = readToken(provider) !== undefined
  const tombstone = tombstoneOf(store, provider)
  const forgotten = tombstone === undefined ? {} : { isForgotten: true }
  const epoch = known?.epoch ?? tombstone?.epoch ?? 0
  return new HeldElsewhere({ provider, epoch, ...forgotten, hasCopy, fingerprint: shown })
})

/** Gets an access token for a worker that acts on the person's behalf, refreshed first if it expires soon. */
export const getAccessToken = Effect.fn("getAccessToken")(function* (
  provider: Provider,
  compareKey: string | undefined,
) {
  const grants = yield* Grants
  const { readToken } = yield* GrantStore
  if (!(yield* isHeld(provider))) return yield* yield* heldElsewhere(provider, compareKey)
  const before = readToken(provider)?.generation
  const { token, expiresAt, generation } = yield* counted("read", grants.accessToken(provider)).pipe(
    // Handed back in the meantime: D1 holds it now.
    Effect.catchTag(
      "AccountNotConnected",
      Effect.fnUntraced(function* (error) {
        return yield* (yield* isHeld(provider)) ? error : yield* heldElsewhere(provider, compareKey)
      }),
    ),
  )
  // A refresh leaves something to do: events, D1's mirror, and the next keep-alive.
  if (generation !== before) yield* rearm
  return { accessToken: token, expiresAt }
})

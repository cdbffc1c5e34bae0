import { and, eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, items, libraryPages, subscriptions, tokens as tokenRows } from "../../../schema/object.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import type { AccountState, TokenSet } from "../../domain/token.ts"
import { GrantStore, lifeOf, nextGeneration } from "../grants/GrantStore.ts"
import { withoutPast } from "../grants/grantRows.ts"
import { TokenEvents } from "../grants/TokenEvents.ts"
import { ensurePerson, readTombstone, rearm } from "../person.ts"
import { Store } from "../Store.ts"
import { underLease } from "./lease.ts"

// Copies of grants that D1 holds. An object neither polls nor refreshes for a copy, tells D1 nothing of it and sets no alarm.

/** A grant as D1 has it, and which version of it that is. */
export interface CopiedGrant {
  readonly provider: Provider
  readonly epoch: number
  readonly generation: number
  readonly state?: AccountState
  /** `null` of an account of which nothing is left but that the person has to connect it again. */
  readonly tokens: TokenSet | null
}

/** Seals a grant of D1's. */
const sealOf = Effect.fnUntraced(function* (provider: Provider, { accessToken, refreshToken, scope }: TokenSet) {
  const grants = yield* GrantStore
  return yield* grants.seal(provider, { accessToken, refreshToken, previousRefreshToken: null, scope })
})

const keepCopy = Effect.fnUntraced(function* (
  { provider, epoch, generation, state, tokens }: CopiedGrant,
  lease: number | undefined,
) {
  const { db } = yield* Store
  const grants = yield* GrantStore
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const copied =
    tokens === null ? null : { ...(yield* sealOf(provider, tokens)), expiresAt: tokens.expiresAt, ...lifeOf(tokens) }
  const outcome = yield* underLease("importTokens", lease, () => {
    const hadNone = grants.readToken(provider) === undefined
    const known = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
    const isLater =
      known !== undefined &&
      (known.isHolder ||
        known.epoch > epoch ||
        (known.epoch === epoch && known.copiedGeneration !== null && known.copiedGeneration > generation))
    if (isLater) return "kept" as const
    const copy = { state: state ?? "connected", reason: null, isHolder: false, epoch, copiedGeneration: generation }
    db.insert(accounts)
      .values({ provider, ...copy, connectedAt: now })
      .onConflictDoUpdate({
        target: accounts.provider,
        set: hadNone ? { ...copy, connectedAt: now } : copy,
      })
      .run()
    events.record(provider, "imported", now)
    if (copied === null) {
      db.delete(tokenRows).where(eq(tokenRows.provider, provider)).run()
      return "imported" as const
    }
    const row = {
      ...copied,
      generation: nextGeneration(grants.readToken(provider)),
      keptAliveAt: now,
      ...withoutPast,
    }
    db.insert(tokenRows)
      .values({ provider, ...row })
      .onConflictDoUpdate({ target: tokenRows.provider, set: row })
      .run()
    return "imported" as const
  })
  return { provider, outcome }
})

/** Keeps copies of what D1 holds. An account that this object holds, or of which it has a newer copy, stays as it is. */
export const importTokens = Effect.fn("importTokens")(function* (
  given: ReadonlyArray<CopiedGrant>,
  lease: number | undefined,
) {
  const store = yield* Store
  if (given.length > 0) yield* ensurePerson("importTokens", given)
  const kept = yield* Effect.forEach(given, (grant) => keepCopy(grant, lease))
  yield* store.durable
  yield* rearm
  return { accounts: kept }
})

/** Forgets the copies, but neither their epochs nor the lease: a call that comes late must not bring a copy back. */
export const discardCopies = Effect.fn("discardCopies")(function* (
  wanted: Provider | undefined,
  lease: number | undefined,
) {
  const store = yield* Store
  const { db } = store
  // Under a tombstone nothing can come late, and nothing of the person is to be noted.
  if (lease !== undefined && readTombstone(store) === undefined) yield* ensurePerson("discardCopies", [])
  const discarded = yield* underLease("discardCopies", lease, () => {
    const copied = db
      .select({ provider: accounts.provider })
      .from(accounts)
      .innerJoin(tokenRows, eq(tokenRows.provider, accounts.provider))
      .where(and(eq(accounts.isHolder, false), wanted === undefined ? undefined : eq(accounts.provider, wanted)))
      .all()
    for (const { provider } of copied) {
      for (const table of [tokenRows, subscriptions, items, libraryPages]) {
        db.delete(table).where(eq(table.provider, provider)).run()
      }
      db.update(accounts).set({ copiedGeneration: null }).where(eq(accounts.provider, provider)).run()
    }
    return providers.filter((provider) => copied.some((row) => row.provider === provider))
  })
  yield* store.durable
  return { discarded }
})

import { and, eq, sql } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, tokens as tokenRows } from "../../../schema/object.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import type { AccountState, TokenSet } from "../../domain/token.ts"
import { GrantStore, nextGeneration } from "../grants/GrantStore.ts"
import { TokenEvents } from "../grants/TokenEvents.ts"
import { ensurePerson, rearm } from "../person.ts"
import { Store } from "../Store.ts"

// Copies of grants that D1 holds. Nothing is polled, refreshed or told to D1 for a copy, and no alarm is set.

/** A grant as D1 has it, and which version of it that is. */
export interface CopiedGrant {
  readonly provider: Provider
  readonly epoch: number
  readonly generation: number
  readonly state?: AccountState
  /** `null` of an account of which nothing is left but that the person has to connect it again. */
  readonly tokens: TokenSet | null
}

/** A grant as it is sealed anew. */
const sealOf = Effect.fnUntraced(function* (provider: Provider, { accessToken, refreshToken, scope }: TokenSet) {
  const grants = yield* GrantStore
  return yield* grants.seal(provider, { accessToken, refreshToken, previousRefreshToken: null, scope })
})

const keepCopy = Effect.fnUntraced(function* ({ provider, epoch, generation, state, tokens }: CopiedGrant) {
  const store = yield* Store
  const { db } = store
  const grants = yield* GrantStore
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const copied = tokens === null ? null : { ...(yield* sealOf(provider, tokens)), expiresAt: tokens.expiresAt }
  const outcome = yield* store.transaction(() => {
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
      failures: 0,
      retryAt: null,
    }
    db.insert(tokenRows)
      .values({ provider, ...row })
      .onConflictDoUpdate({ target: tokenRows.provider, set: row })
      .run()
    return "imported" as const
  })
  return { provider, outcome }
})

/** Keeps copies of what D1 holds; what this object holds itself, or knows better, stays as it is. */
export const importTokens = Effect.fn("importTokens")(function* (given: ReadonlyArray<CopiedGrant>) {
  const store = yield* Store
  if (given.length > 0) yield* ensurePerson("importTokens", given)
  const kept = yield* Effect.forEach(given, keepCopy)
  yield* store.durable
  yield* rearm
  return { accounts: kept }
})

/** Forgets the copies. Which epoch the object knows of is remembered: a call that was long under way must not bring one back. */
export const discardCopies = Effect.fn("discardCopies")(function* (wanted: Provider | undefined) {
  const store = yield* Store
  const { db } = store
  const discarded = yield* store.transaction(() => {
    const copied = db
      .select({ provider: accounts.provider })
      .from(accounts)
      .innerJoin(tokenRows, eq(tokenRows.provider, accounts.provider))
      .where(and(eq(accounts.isHolder, false), wanted === undefined ? undefined : eq(accounts.provider, wanted)))
      .all()
    for (const { provider } of copied) {
      for (const table of ["tokens", "subscriptions", "items", "library_pages"]) {
        db.run(sql`DELETE FROM ${sql.identifier(table)} WHERE provider = ${provider}`)
      }
      db.update(accounts).set({ copiedGeneration: null }).where(eq(accounts.provider, provider)).run()
    }
    return providers.filter((provider) => copied.some((row) => row.provider === provider))
  })
  yield* store.durable
  return { discarded }
})

import { and, eq, sql } from "drizzle-orm"
import { Clock, Context, Effect, Layer, Random } from "effect"
import { accounts, outbox, person, subscriptions, tokens } from "../../schema/object.ts"
import { backoff } from "../domain/backoff.ts"
import { AccountNotConnected, RateLimited, ReauthorizationRequired, type SealBroken } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { TokenEventType, TokenSet } from "../domain/token.ts"
import { TokenEvents } from "./events.ts"
import { Settings } from "./settings.ts"
import { Store } from "./store.ts"
import { type Grant, isSameSeal, open, type Sealed, seal } from "./vault.ts"

export type TokenRow = typeof tokens.$inferSelect

/**
 * The generation after this row's. A grant that comes after a removed one begins at a random place, so that a refresh that
 * is still under way for the removed one never takes it for its own.
 */
export const nextGeneration = (row: TokenRow | undefined): number =>
  row === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) : row.generation + 1

/** The rows of accounts and sealed grants, and the rules by which they change. */
export class GrantStore extends Context.Service<
  GrantStore,
  {
    readonly readToken: (provider: Provider) => TokenRow | undefined
    /** The row of a grant that may be used, or why it may not. */
    readonly usable: (provider: Provider) => Effect.Effect<TokenRow, AccountNotConnected | ReauthorizationRequired>
    readonly open: (provider: Provider, row: TokenRow) => Effect.Effect<Grant, SealBroken>
    /** Replaces a sealed grant, unless another has taken its place since `row` was read. Durable when it returns. */
    readonly replace: (
      provider: Provider,
      row: TokenRow,
      grant: Grant,
      change: Partial<Omit<TokenRow, "provider">>,
      record: () => void,
    ) => Effect.Effect<void>
    /** Records an event, and lets D1 know if the account's state changed. To be called inside a transaction. */
    readonly changed: (provider: Provider, type: TokenEventType, at: number, detail?: string) => void
    readonly set: (provider: Provider, given: TokenSet, why: "token_set" | "imported") => Effect.Effect<number>
    readonly remove: (provider: Provider) => Effect.Effect<boolean>
    /** Ends the use of a grant until `setToken`. */
    readonly requireReauthorization: (provider: Provider, reason: string) => Effect.Effect<ReauthorizationRequired>
    /** Writes down until when a provider asked not to be asked; survives eviction. */
    readonly hold: (limited: RateLimited) => Effect.Effect<void>
    /** Notes a failed refresh and returns when to try again; the reason is told once, by the first failure in a row. */
    readonly postpone: (row: TokenRow, provider: Provider, reason: string) => Effect.Effect<number>
    /** Fails while such a hold lasts. */
    readonly held: (provider: Provider) => Effect.Effect<void, RateLimited>
  }
>()("pollen/object/GrantStore") {
  static readonly layer = Layer.effect(
    GrantStore,
    Effect.gen(function* () {
      const store = yield* Store
      const { db, userId } = store
      const events = yield* TokenEvents
      const settings = yield* Settings

      // Asked before every request, so built once.
      const provider = sql.placeholder("provider")
      const accountQuery = db.select().from(accounts).where(eq(accounts.provider, provider)).prepare()
      const tokenQuery = db.select().from(tokens).where(eq(tokens.provider, provider)).prepare()
      const readAccount = (of: Provider) => accountQuery.get({ provider: of })
      const readToken = (of: Provider) => tokenQuery.get({ provider: of })

      /** To be called inside a transaction: D1 learns of every change of an account's state. */
      const changed = (provider: Provider, type: TokenEventType, at: number, detail?: string): void => {
        events.record(provider, type, at, detail)
        if (type === "refreshed" || type === "rotated" || type === "resealed" || type === "exported") return
        db.insert(outbox)
          .values({ kind: "account", body: JSON.stringify({ provider, at }) })
          .run()
        db.update(person).set({ isReportDue: true }).run()
      }

      /** The connected account's row, or why its token cannot be used now. */
      const usable = Effect.fnUntraced(function* (provider: Provider) {
        const account = readAccount(provider)
        const row = readToken(provider)
        if (account === undefined || account.state === "disconnected")
          return yield* new AccountNotConnected({ provider })
        if (account.state === "reauthorization_required" || row === undefined) {
          return yield* new ReauthorizationRequired({ provider, reason: account.reason ?? "no token" })
        }
        return row
      })

      const opened = new Map<Provider, { readonly row: Sealed; readonly grant: Grant }>()
      const openRow = Effect.fnUntraced(function* (provider: Provider, row: TokenRow) {
        const last = opened.get(provider)
        if (last !== undefined && isSameSeal(last.row, row)) return last.grant
        const grant = yield* open(settings.keyRing, userId, provider, row)
        opened.set(provider, { row, grant })
        return grant
      })

      const sealFor = (provider: Provider, grant: Grant) => seal(settings.keyRing, userId, provider, grant)

      /** Replaces a sealed grant, unless it has changed since `row` was read. Sealing anew what it says is no change. */
      const replace = Effect.fnUntraced(function* (
        provider: Provider,
        row: TokenRow,
        grant: Grant,
        change: Partial<Omit<TokenRow, "provider">>,
        record: () => void,
      ) {
        const sealed = yield* sealFor(provider, grant)
        yield* store.transaction(() => {
          if (readToken(provider)?.generation !== row.generation) return
          db.update(tokens)
            .set({ ...sealed, ...change })
            .where(eq(tokens.provider, provider))
            .run()
          record()
        })
        // Durable before anything uses it: a rotated refresh token that is lost here would end the grant.
        yield* store.durable
      })

      const set = Effect.fn("Grants.set")(function* (
        provider: Provider,
        given: TokenSet,
        why: "token_set" | "imported",
      ) {
        const now = yield* Clock.currentTimeMillis
        const sealed = yield* sealFor(provider, {
          accessToken: given.accessToken,
          refreshToken: given.refreshToken,
          previousRefreshToken: null,
          scope: given.scope,
        })
        const generation = yield* store.transaction(() => {
          const before = readAccount(provider)
          const next = nextGeneration(readToken(provider))
          const row = {
            ...sealed,
            expiresAt: given.expiresAt,
            generation: next,
            exercisedAt: now,
            failures: 0,
            retryAt: null,
          }
          db.insert(tokens)
            .values({ provider, ...row })
            .onConflictDoUpdate({ target: tokens.provider, set: row })
            .run()
          const connected = { state: "connected", reason: null, failures: 0, retryAt: null }
          db.insert(accounts)
            .values({ provider, ...connected, connectedAt: now })
            .onConflictDoUpdate({
              target: accounts.provider,
              // Whoever connects again is polled again at once, but what the provider asked for still holds.
              set: before?.state === "connected" ? connected : { ...connected, connectedAt: now, libraryReadAt: null },
            })
            .run()
          changed(provider, before?.state === "connected" ? why : "connected", now)
          return next
        })
        yield* store.durable
        return generation
      })

      const remove = Effect.fn("Grants.remove")(function* (provider: Provider) {
        const now = yield* Clock.currentTimeMillis
        return yield* store.transaction(() => {
          const before = readAccount(provider)
          if (before === undefined || before.state === "disconnected") return false
          db.delete(tokens).where(eq(tokens.provider, provider)).run()
          db.delete(subscriptions).where(eq(subscriptions.provider, provider)).run()
          db.run(sql`DELETE FROM items WHERE provider = ${provider}`)
          db.run(sql`DELETE FROM library_pages WHERE provider = ${provider}`)
          db.insert(outbox)
            .values({ kind: "unfollow_all", body: JSON.stringify({ provider }) })
            .run()
          db.update(accounts)
            .set({
              state: "disconnected",
              reason: null,
              failures: 0,
              retryAt: null,
              libraryReadAt: null,
              passStartedAt: null,
            })
            .where(eq(accounts.provider, provider))
            .run()
          changed(provider, "disconnected", now)
          return true
        })
      })

      const requireReauthorization = Effect.fnUntraced(function* (provider: Provider, reason: string) {
        const now = yield* Clock.currentTimeMillis
        yield* store.transaction(() => {
          const updated = db
            .update(accounts)
            .set({ state: "reauthorization_required", reason, retryAt: null })
            .where(and(eq(accounts.provider, provider), eq(accounts.state, "connected")))
            .returning({ provider: accounts.provider })
            .all()
          if (updated.length > 0) changed(provider, "reauthorization_required", now, reason)
        })
        return new ReauthorizationRequired({ provider, reason })
      })

      const hold = Effect.fnUntraced(function* (limited: RateLimited) {
        yield* store.transaction(() => {
          const heldUntil = Math.max(readAccount(limited.provider)?.heldUntil ?? 0, limited.retryAt)
          db.update(accounts)
            .set({ heldUntil, holdReason: limited.reason })
            .where(eq(accounts.provider, limited.provider))
            .run()
        })
        yield* store.durable
      })

      const held = Effect.fnUntraced(function* (provider: Provider) {
        const account = readAccount(provider)
        if (account?.heldUntil != null && account.heldUntil > (yield* Clock.currentTimeMillis)) {
          const reason = account.holdReason === "quota_exceeded" ? "quota_exceeded" : "rate_limited"
          return yield* new RateLimited({ provider, reason, retryAt: account.heldUntil })
        }
      })

      /** Notes a failure and when to try again; `reason` is told once, by the first failure in a row. */
      const postpone = Effect.fnUntraced(function* (row: TokenRow, provider: Provider, reason: string) {
        const now = yield* Clock.currentTimeMillis
        const failures = row.failures + 1
        const { minimumMs, maximumMs } = settings.bounds
        const retryAt =
          now +
          backoff(failures, yield* Random.next, {
            firstMs: Math.min(30_000, minimumMs),
            longestMs: Math.min(3_600_000, maximumMs),
          })
        yield* store.transaction(() => {
          if (readToken(provider)?.generation !== row.generation) return
          db.update(tokens).set({ failures, retryAt }).where(eq(tokens.provider, provider)).run()
          if (failures === 1) changed(provider, "refresh_failed", now, reason)
        })
        return retryAt
      })

      return {
        readToken,
        usable,
        open: openRow,
        replace,
        changed,
        set,
        remove,
        requireReauthorization,
        hold,
        held,
        postpone,
      }
    }),
  )
}

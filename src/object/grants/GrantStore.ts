import { eq } from "drizzle-orm"
import { Clock, Context, Effect, Layer, Option } from "effect"
import { accounts, items, libraryPages, outbox, subscriptions, tokens } from "../../../schema/object.ts"
import type { AccountNotConnected, RateLimited, ReauthorizationRequired, SealBroken } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { TokenEventType, TokenSet } from "../../domain/token.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import { recordChange } from "./changes.ts"
import { grantRows, type TokenRow, withoutPast } from "./grantRows.ts"
import { limits } from "./limits.ts"
import { refusals } from "./refusals.ts"
import { TokenEvents } from "./TokenEvents.ts"
import { type Grant, isSameSeal, open, type Sealed, seal } from "./vault.ts"

/** An epoch that D1 has given away, at which the object comes to hold an account, and what is written with that. */
interface AsOf {
  readonly epoch: number
  readonly alongside: (now: number) => void
}

export interface SetOptions {
  readonly asOf?: AsOf
  /** Whether the refresh token that is there is kept until the new grant has worked. */
  readonly keepsReplaced?: boolean
}

const nothingReplaced: Pick<Grant, "previousRefreshToken" | "replaced"> = { previousRefreshToken: null }

/**
 * The generation after this row's. A grant that comes after a removed one begins at a random place, so that a refresh that
 * is still under way for the removed one never takes it for its own.
 */
export const nextGeneration = (row: TokenRow | undefined): number =>
  row === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) : row.generation + 1

/** What a row says of the life of a grant that has just come: no warning has been given of it. */
export const lifeOf = ({ authorizedAt = null, client = null }: TokenSet) => ({ authorizedAt, client, warnedDays: null })

/** The rows of accounts and sealed grants, and the rules by which they change. */
export class GrantStore extends Context.Service<
  GrantStore,
  {
    readonly readToken: (provider: Provider) => TokenRow | undefined
    /** The row of a grant that may be used, or why it may not. */
    readonly usable: (provider: Provider) => Effect.Effect<TokenRow, AccountNotConnected | ReauthorizationRequired>
    readonly open: (provider: Provider, row: TokenRow) => Effect.Effect<Grant, SealBroken>
    /** `open`, and seals anew what lies under an old key. */
    readonly openAndReseal: (provider: Provider, row: TokenRow) => Effect.Effect<Grant, SealBroken>
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
    readonly seal: (provider: Provider, grant: Grant) => Effect.Effect<Sealed>
    /** Stores a grant and returns its generation; `None` where another side holds the account. */
    readonly set: (provider: Provider, given: TokenSet, options?: SetOptions) => Effect.Effect<Option.Option<number>>
    /** Whether there was something to remove; `None` where another side holds the account. */
    readonly remove: (provider: Provider, epoch?: number) => Effect.Effect<Option.Option<boolean>>
    /** Ends the use of a grant until `setToken`. */
    readonly requireReauthorization: (provider: Provider, reason: string) => Effect.Effect<ReauthorizationRequired>
    /** The row of a grant that was refused and is to be tried again, or why it is not. */
    readonly refused: (provider: Provider) => Effect.Effect<TokenRow, AccountNotConnected | ReauthorizationRequired>
    /** Ends the use of a grant that the provider refused, and says when it is tried again by itself: outages have refused good grants. */
    readonly refuse: (row: TokenRow, provider: Provider, reason: string) => Effect.Effect<ReauthorizationRequired>
    /** Marks that a refresh is under way. What is left of a mark tells of a process that died. */
    readonly begin: (row: TokenRow, provider: Provider, now: number) => void
    /** Tries a refused grant no more. */
    readonly abandon: (provider: Provider) => void
    /** Takes up an account whose refused grant works again. To be called inside the transaction that records the new tokens. */
    readonly reconnect: (provider: Provider) => void
    /** Says why a connected account brings nothing for now; `null` takes that back. */
    readonly noteReason: (provider: Provider, reason: string | null) => void
    /** Records until when a provider's API is not asked: as it said, bounded and spread. Survives eviction. Returns the pause as recorded. */
    readonly limitApi: (limited: RateLimited) => Effect.Effect<RateLimited>
    /** The same for a provider's token endpoint. */
    readonly limitRefresh: (row: TokenRow, limited: RateLimited) => Effect.Effect<RateLimited>
    /** Notes a failed refresh and returns when to try again; the reason is told once, by the first failure in a row. */
    readonly postpone: (row: TokenRow, provider: Provider, reason: string) => Effect.Effect<number>
    /** Fails while a rate limit of the API lasts. */
    readonly checkApiLimit: (provider: Provider) => Effect.Effect<void, RateLimited>
    /** `checkApiLimit` and `usable` by one read, before every request. */
    readonly ready: (
      provider: Provider,
    ) => Effect.Effect<TokenRow, RateLimited | AccountNotConnected | ReauthorizationRequired>
  }
>()("pollen/object/GrantStore") {
  static readonly layer = Layer.effect(
    GrantStore,
    Effect.gen(function* () {
      const store = yield* Store
      const { db, userId } = store
      const events = yield* TokenEvents
      const settings = yield* Settings

      const { readAccount, readToken, usable, refused, checkApiLimit, ready } = grantRows(store)

      const changed = (provider: Provider, type: TokenEventType, at: number, detail?: string) =>
        recordChange(db, events, provider, type, at, detail)

      const { requireReauthorization, refuse, begin, abandon, reconnect, noteReason } = refusals(
        store,
        settings,
        changed,
      )
      const { limitApi, limitRefresh, postpone } = limits(store, settings, changed)

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

      const openAndReseal = Effect.fnUntraced(function* (provider: Provider, row: TokenRow) {
        const grant = yield* openRow(provider, row)
        if (row.keyId !== settings.keyRing.newestId) {
          const now = yield* Clock.currentTimeMillis
          yield* replace(provider, row, grant, {}, () => changed(provider, "resealed", now))
        }
        return grant
      })

      /**
       * The account, if it is this object's to change, with the epoch of that; `null` where it is another's. To be asked inside the
       * transaction that changes it: the right may go while a grant is being sealed.
       */
      const holding = (provider: Provider, asOf: number | undefined) => {
        const before = readAccount(provider)
        if (before?.isHolder) return { before, epoch: Math.max(before.epoch, asOf ?? 0), isTaken: false }
        if (asOf === undefined || (before !== undefined && before.epoch > asOf)) return null
        return { before, epoch: asOf, isTaken: true }
      }

      /** The refresh token of a grant that is being replaced by one that could not be tried, to go back to if that does not work. */
      const openReplaced = (provider: Provider) => {
        const row = readToken(provider)
        if (row === undefined) return Effect.succeed(nothingReplaced)
        const { authorizedAt, client } = row
        return openRow(provider, row).pipe(
          Effect.map(({ refreshToken }) => ({
            previousRefreshToken: refreshToken,
            replaced: { authorizedAt, client },
          })),
          Effect.orElseSucceed(() => nothingReplaced),
        )
      }

      const set = Effect.fn("Grants.set")(function* (provider: Provider, given: TokenSet, options: SetOptions = {}) {
        const { asOf, keepsReplaced = false } = options
        const now = yield* Clock.currentTimeMillis
        const replaced = keepsReplaced ? yield* openReplaced(provider) : nothingReplaced
        const sealed = yield* sealFor(provider, {
          accessToken: given.accessToken,
          refreshToken: given.refreshToken,
          ...replaced,
          scope: given.scope,
        })
        const generation = yield* store.transaction(() => {
          const held = holding(provider, asOf?.epoch)
          if (held === null) return Option.none<number>()
          const { before, epoch, isTaken } = held
          const isPauseBounded = (before?.pauseBoundedUntil ?? 0) > now
          const isConnected = before?.state === "connected" && !isTaken
          const next = nextGeneration(readToken(provider))
          const row = {
            ...sealed,
            expiresAt: given.expiresAt,
            generation: next,
            keptAliveAt: now,
            ...withoutPast,
            // A pause that was absurd ends with what the person does; any other still holds.
            ...(isPauseBounded ? { refreshLimitedUntil: null } : {}),
            ...lifeOf(given),
          }
          db.insert(tokens)
            .values({ provider, ...row })
            .onConflictDoUpdate({ target: tokens.provider, set: row })
            .run()
          const connected = {
            state: "connected",
            reason: null,
            failures: 0,
            retryAt: null,
            isHolder: true,
            epoch,
            copiedGeneration: null,
            ...(isPauseBounded ? { rateLimitedUntil: null, rateLimitReason: null, pauseBoundedUntil: null } : {}),
          }
          db.insert(accounts)
            .values({ provider, ...connected, connectedAt: now })
            .onConflictDoUpdate({
              target: accounts.provider,
              // Whoever connects again is polled again at once, but what the provider asked for still holds.
              set: isConnected ? connected : { ...connected, connectedAt: now, libraryReadAt: null },
            })
            .run()
          if (isTaken) asOf?.alongside(now)
          changed(provider, isConnected ? "token_set" : "connected", now)
          return Option.some(next)
        })
        yield* store.durable
        return generation
      })

      const remove = Effect.fn("Grants.remove")(function* (provider: Provider, asOf?: number) {
        const now = yield* Clock.currentTimeMillis
        return yield* store.transaction(() => {
          const held = holding(provider, asOf)
          if (held === null) return Option.none<boolean>()
          const { before, epoch, isTaken } = held
          if (isTaken) {
            const taken = { state: "connected", isHolder: true, epoch, copiedGeneration: null }
            db.insert(accounts)
              .values({ provider, ...taken, connectedAt: now })
              .onConflictDoUpdate({ target: accounts.provider, set: taken })
              .run()
          } else if (before?.state === "disconnected") return Option.some(false)
          db.delete(tokens).where(eq(tokens.provider, provider)).run()
          db.delete(subscriptions).where(eq(subscriptions.provider, provider)).run()
          db.delete(items).where(eq(items.provider, provider)).run()
          db.delete(libraryPages).where(eq(libraryPages.provider, provider)).run()
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
          return Option.some(true)
        })
      })

      return {
        readToken,
        usable,
        open: openRow,
        openAndReseal,
        seal: sealFor,
        replace,
        changed,
        set,
        remove,
        requireReauthorization,
        refused,
        refuse,
        begin,
        abandon,
        reconnect,
        noteReason,
        limitApi,
        limitRefresh,
        checkApiLimit,
        ready,
        postpone,
      }
    }),
  )
}

import { eq } from "drizzle-orm"
import { Clock, Effect, Random } from "effect"
import { accounts, tokens } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import { RateLimited } from "../../domain/error.ts"
import { boundPause, spreadPause } from "../../domain/pause.ts"
import type { Provider } from "../../domain/provider.ts"
import type { SettingsShape } from "../Settings.ts"
import type { Store } from "../Store.ts"
import type { GrantStore } from "./GrantStore.ts"
import { grantRows, type TokenRow } from "./grantRows.ts"

/** What keeps requests and refreshes back: pauses that the provider asked for, and backoff. Survives eviction. */
export const limits = (
  store: Store["Service"],
  settings: Pick<SettingsShape, "bounds" | "pauseLimitMs">,
  changed: GrantStore["Service"]["changed"],
) => {
  const { db } = store
  const { readAccount, readToken } = grantRows(store)

  /** Bounds a pause, and tells when it had to be cut. To be called inside the transaction that records it. */
  const bounded = ({ provider, reason, retryAt }: RateLimited, now: number) => {
    const { until, isBounded } = boundPause({ reason, retryAt }, now, settings.pauseLimitMs)
    if (isBounded && (readAccount(provider)?.pauseBoundedUntil ?? 0) <= now) {
      const asked = Math.round((retryAt - now) / 3_600_000)
      changed(provider, "pause_bounded", now, `asked for ${asked} hours`)
      db.update(accounts).set({ pauseBoundedUntil: until }).where(eq(accounts.provider, provider)).run()
    }
    return new RateLimited({ provider, reason, retryAt: until })
  }

  /** Keeps a pause that is long enough, since others may have been refused at the same time; else the provider's, spread. */
  const spread = (limited: RateLimited, known: number | null | undefined, drawn: { now: number; random: number }) => {
    const { provider, reason, retryAt } = limited
    const isLong = known !== null && known !== undefined && known >= retryAt
    const until = isLong ? known : spreadPause(limited, { ...drawn, longestMs: settings.bounds.minimumMs })
    return new RateLimited({ provider, reason, retryAt: until })
  }

  const draw = Effect.all({ now: Clock.currentTimeMillis, random: Random.next })

  const limitApi = Effect.fnUntraced(function* (asked: RateLimited) {
    const { provider, reason } = asked
    const drawn = yield* draw
    const limited = yield* store.transaction(() => {
      const limited = bounded(spread(asked, readAccount(provider)?.rateLimitedUntil, drawn), drawn.now)
      db.update(accounts)
        .set({ rateLimitedUntil: limited.retryAt, rateLimitReason: reason })
        .where(eq(accounts.provider, provider))
        .run()
      return limited
    })
    yield* store.durable
    return limited
  })

  const limitRefresh = Effect.fnUntraced(function* ({ refreshBegunAt }: TokenRow, asked: RateLimited) {
    const { provider } = asked
    const drawn = yield* draw
    const limited = yield* store.transaction(() => {
      const limited = bounded(spread(asked, readToken(provider)?.refreshLimitedUntil, drawn), drawn.now)
      db.update(tokens)
        .set({ refreshLimitedUntil: limited.retryAt, refreshBegunAt })
        .where(eq(tokens.provider, provider))
        .run()
      return limited
    })
    yield* store.durable
    return limited
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
      db.update(tokens)
        .set({ failures, retryAt, refreshBegunAt: row.refreshBegunAt })
        .where(eq(tokens.provider, provider))
        .run()
      if (failures === 1) changed(provider, "refresh_failed", now, reason)
    })
    return retryAt
  })

  return { limitApi, limitRefresh, postpone }
}

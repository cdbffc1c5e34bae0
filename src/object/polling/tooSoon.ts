import { Clock, Effect } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { AccountPoll } from "../../rpc/methods.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"

// A pass that asked the provider nothing cost nothing, and keeps nobody back.
const selectLast = `SELECT held_until AS rateLimitedUntil,
    (SELECT count(*) FROM subscriptions WHERE provider = ?1) AS sources,
    (SELECT max(started_at) FROM polls WHERE provider = ?1 AND trigger = 'request' AND requests > 0) AS startedAt
  FROM accounts WHERE provider = ?1`
type Last = Readonly<Record<"rateLimitedUntil" | "startedAt", number | null> & { sources: number }>

/** What a requested poll is answered that comes too soon after the one before; `null` for one that may be made. */
export const tooSoon = Effect.fnUntraced(function* (provider: Provider) {
  const { rows } = yield* Store
  const { requestIntervalMs } = yield* Settings
  const [last] = rows<Last>(selectLast, provider)
  if (last === undefined || last.startedAt === null) return null
  const now = yield* Clock.currentTimeMillis
  const possibleAt = last.startedAt + requestIntervalMs
  // A clock that was put back must not keep anybody waiting until it catches up.
  if (now < last.startedAt || now >= possibleAt) return null
  return {
    ...{ provider, outcome: "too_soon", reason: "polled a moment ago at somebody's request" },
    retryAt: Math.max(possibleAt, last.rateLimitedUntil ?? 0),
    ...{ sources: last.sources, asked: 0, failed: 0, itemsFound: 0, requests: 0 },
  } satisfies AccountPoll
})

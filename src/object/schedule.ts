import { Clock, Effect } from "effect"
import type { accounts, person } from "../../schema/object.ts"
import { refreshableAt, requestableAt } from "../domain/token.ts"
import { keepAliveAfterMs } from "./grants/Grants.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { Store } from "./Store.ts"

/** When an account's poll is wanted: not before the backoff of a failed pass. */
const pollWantedAt = (
  { retryAt, libraryReadAt }: Pick<typeof accounts.$inferSelect, "retryAt" | "libraryReadAt">,
  earliestSource: number | null,
  { bounds }: Pick<SettingsShape, "bounds">,
): number => retryAt ?? (libraryReadAt === null ? 0 : (earliestSource ?? libraryReadAt + bounds.maximumMs))

export interface Due {
  readonly what: "poll" | "keepAlive" | "deliver" | "heartbeat"
  readonly provider: string | null
  /** Epoch milliseconds. */
  readonly at: number
}

const selectSelf = `SELECT is_report_due AS isHeartbeatDue, reported_at AS heartbeatAt, delivery_retry_at AS deliveryRetryAt,
  (SELECT count(*) FROM outbox) AS undelivered FROM person`
type Self = Readonly<
  Pick<typeof person.$inferSelect, "heartbeatAt" | "deliveryRetryAt"> & { isHeartbeatDue: number; undelivered: number }
>

// Of the accounts that this object looks after: of a copy it keeps nothing is ever due. A source that a cut-off pass left to be asked
// is due at once; one that fails waits for its retry. Few items wait, and an index has them.
const selectPolled = `SELECT account.provider, held_until AS rateLimitedUntil, account.retry_at AS retryAt,
    library_read_at AS libraryReadAt, exercised_at AS keptAliveAt, expires_at AS expiresAt,
    grant_row.retry_at AS refreshRetryAt, refresh_limited_until AS refreshLimitedUntil,
    (SELECT min(CASE WHEN is_pending AND failures = 0 THEN 0 ELSE due_at END) FROM subscriptions
      WHERE provider = account.provider) AS earliestSource,
    (SELECT min(recheck_at) FROM items JOIN subscriptions source USING (provider, source_id)
      WHERE provider = account.provider AND items.state = 'waiting' AND source.failures = 0) AS earliestWaiting
  FROM accounts account LEFT JOIN tokens grant_row USING (provider) WHERE account.state = 'connected' AND is_holder`
type Polled = Readonly<
  Pick<typeof accounts.$inferSelect, "provider" | "rateLimitedUntil" | "retryAt" | "libraryReadAt"> &
    Record<
      "keptAliveAt" | "expiresAt" | "refreshRetryAt" | "refreshLimitedUntil" | "earliestSource" | "earliestWaiting",
      number | null
    >
>

/** Everything that will have to be done, and when, as of `now`. The one alarm is the earliest of it. */
export const dueList = ({ rows }: Store["Service"], settings: SettingsShape, now: number): ReadonlyArray<Due> => {
  const [self] = rows<Self>(selectSelf)
  if (self === undefined) return []
  const connected = rows<Polled>(selectPolled)
  const ofAccounts = connected.flatMap((account): ReadonlyArray<Due> => {
    const { provider, rateLimitedUntil, keptAliveAt, refreshLimitedUntil } = account
    const grant = { expiresAt: account.expiresAt ?? 0, retryAt: account.refreshRetryAt, refreshLimitedUntil }
    const checks = [account.earliestSource, account.earliestWaiting].filter((at) => at !== null)
    const earliest = checks.length === 0 ? null : Math.min(...checks)
    const wanted = pollWantedAt(account, earliest, settings)
    return [
      { what: "poll", provider, at: requestableAt(wanted, rateLimitedUntil, grant, now) },
      { what: "keepAlive", provider, at: Math.max((keptAliveAt ?? 0) + keepAliveAfterMs, refreshableAt(grant)) },
    ]
  })
  const hasNews = self.undelivered > 0 || (self.isHeartbeatDue === 1 && self.heartbeatAt !== null)
  const deliver: ReadonlyArray<Due> = hasNews
    ? [{ what: "deliver", provider: null, at: self.deliveryRetryAt ?? 0 }]
    : []
  const nextHeartbeatAt = Math.max((self.heartbeatAt ?? 0) + settings.heartbeatMs, self.deliveryRetryAt ?? 0)
  const report: ReadonlyArray<Due> =
    connected.length > 0 ? [{ what: "heartbeat", provider: null, at: nextHeartbeatAt }] : []
  return [...ofAccounts, ...deliver, ...report]
}

/** The earliest moment at which anything is due; `null` when nothing is, so that such an object sleeps for good. */
export const earliestDue = (dues: ReadonlyArray<Due>): number | null =>
  dues.length === 0 ? null : Math.min(...dues.map(({ at }) => at))

/** Sets the alarm to the earliest of what is due, if it is not set so already. Returns it. */
export const arm = Effect.fnUntraced(function* () {
  const store = yield* Store
  const settings = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const due = earliestDue(dueList(store, settings, now))
  const at = due === null ? null : Math.max(due, now)
  const before = yield* store.alarmAt
  // An overdue alarm that is set already fires by itself; moving it would only put it off.
  if (before !== at && !(before !== null && at !== null && before <= at && due !== null && due <= now)) {
    yield* store.setAlarm(at)
    return at
  }
  return before
})

/** Sets the alarm to so many milliseconds from now, unless one is set for sooner. */
export const armFor = Effect.fnUntraced(function* (ms: number) {
  const store = yield* Store
  const at = (yield* Clock.currentTimeMillis) + ms
  const before = yield* store.alarmAt
  if (before === null || before > at) yield* store.setAlarm(at)
})

type Counts = Readonly<Record<"sources" | "failing", number>>

/** How many of a person's sources there are, and how many of them fail. */
export const sourceCounts = ({ rows }: Store["Service"]): Counts =>
  rows<Counts>("SELECT count(*) AS sources, count(reason) AS failing FROM subscriptions")[0] ?? {
    sources: 0,
    failing: 0,
  }

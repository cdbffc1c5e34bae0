import { Clock, Effect } from "effect"
import type { accounts, person } from "../../schema/object.ts"
import { keepAliveAfterMs } from "./grants/Grants.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { Store } from "./Store.ts"

/** When an account's poll is due: not before the provider's hold is over, nor before the backoff of a failed pass. */
const pollDueAt = (
  account: Pick<typeof accounts.$inferSelect, "rateLimitedUntil" | "retryAt" | "libraryReadAt">,
  earliestSource: number | null,
  settings: Pick<SettingsShape, "bounds">,
): number => {
  const wanted =
    account.retryAt ??
    (account.libraryReadAt === null ? 0 : (earliestSource ?? account.libraryReadAt + settings.bounds.maximumMs))
  return Math.max(wanted, account.rateLimitedUntil ?? 0)
}

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
    library_read_at AS libraryReadAt, exercised_at AS keptAliveAt, grant_row.retry_at AS keepAliveRetryAt,
    (SELECT min(CASE WHEN is_pending AND failures = 0 THEN 0 ELSE due_at END) FROM subscriptions
      WHERE provider = account.provider) AS earliestSource,
    (SELECT min(recheck_at) FROM items JOIN subscriptions source USING (provider, source_id)
      WHERE provider = account.provider AND items.state = 'waiting' AND source.failures = 0) AS earliestWaiting
  FROM accounts account LEFT JOIN tokens grant_row USING (provider) WHERE account.state = 'connected' AND is_holder`
type Polled = Readonly<
  Pick<typeof accounts.$inferSelect, "provider" | "rateLimitedUntil" | "retryAt" | "libraryReadAt"> &
    Record<"keptAliveAt" | "keepAliveRetryAt" | "earliestSource" | "earliestWaiting", number | null>
>

/** Everything that will have to be done, and when. The one alarm is the earliest of it. */
export const dueList = ({ rows }: Store["Service"], settings: SettingsShape): ReadonlyArray<Due> => {
  const [self] = rows<Self>(selectSelf)
  if (self === undefined) return []
  const connected = rows<Polled>(selectPolled)
  const ofAccounts = connected.flatMap((account): ReadonlyArray<Due> => {
    const { provider, rateLimitedUntil, keptAliveAt, keepAliveRetryAt } = account
    const checks = [account.earliestSource, account.earliestWaiting].filter((at) => at !== null)
    const earliest = checks.length === 0 ? null : Math.min(...checks)
    const keepAliveAt = Math.max((keptAliveAt ?? 0) + keepAliveAfterMs, keepAliveRetryAt ?? 0, rateLimitedUntil ?? 0)
    return [
      { what: "poll", provider, at: pollDueAt(account, earliest, settings) },
      { what: "keepAlive", provider, at: keepAliveAt },
    ]
  })
  const hasNews = self.undelivered > 0 || (self.isHeartbeatDue === 1 && self.heartbeatAt !== null)
  const deliver: ReadonlyArray<Due> = hasNews
    ? [{ what: "deliver", provider: null, at: self.deliveryRetryAt ?? 0 }]
    : []
  const nextHeartbeatAt = Math.max((self.heartbeatAt ?? 0) + settings.heartbeatMs, self.deliveryRetryAt ?? 0)
  const heartbeat: ReadonlyArray<Due> =
    connected.length > 0 ? [{ what: "heartbeat", provider: null, at: nextHeartbeatAt }] : []
  return [...ofAccounts, ...deliver, ...heartbeat]
}

/** The earliest moment at which anything is due; `null` when nothing is, so that such an object sleeps for good. */
export const earliestDue = (dues: ReadonlyArray<Due>): number | null =>
  dues.length === 0 ? null : Math.min(...dues.map(({ at }) => at))

/** Sets the alarm to the earliest of what is due, if it is not set so already. Returns it. */
export const arm = Effect.fnUntraced(function* () {
  const store = yield* Store
  const settings = yield* Settings
  const due = earliestDue(dueList(store, settings))
  const now = yield* Clock.currentTimeMillis
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

import { Clock, Effect } from "effect"
import { keepAliveAfterMs, nextWarning } from "../domain/grantLife.ts"
import { providers } from "../domain/provider.ts"
import { refreshableAt, requestableAt } from "../domain/token.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { Store } from "./Store.ts"
import { type CountsRow, type PolledRow, type SelfRow, selectCounts, selectPolled, selectSelf } from "./statements.ts"

/** Longest intervals after which a library is read of which hubs look after every source: for what is followed, and not for items. */
const watchedLibraryIntervals = 2

/** The moment at which an account's poll is wanted: not before the backoff of a failed pass ends. */
const pollWantedAt = (
  { retryAt, libraryReadAt, watched }: Pick<PolledRow, "retryAt" | "libraryReadAt" | "watched">,
  earliestSource: number | null,
  { bounds }: Pick<SettingsShape, "bounds">,
): number => {
  if (retryAt !== null) return retryAt
  if (libraryReadAt === null) return 0
  const libraryAt = libraryReadAt + bounds.maximumMs * (watched > 0 ? watchedLibraryIntervals : 1)
  return watched > 0 ? Math.min(libraryAt, earliestSource ?? libraryAt) : (earliestSource ?? libraryAt)
}

export interface Due {
  readonly what: "poll" | "keepAlive" | "retryRefused" | "warning" | "deliver" | "heartbeat"
  readonly provider: string | null
  /** Epoch milliseconds. */
  readonly at: number
}

/** Something of an account that may never be due (`null`). */
const dueAt = (what: Due["what"], provider: string, at: number | null): ReadonlyArray<Due> =>
  at === null ? [] : [{ what, provider, at }]

/** Lists everything that becomes due, and when, as of `now`. The one alarm is the earliest of it. */
export const dueList = ({ rows }: Store["Service"], settings: SettingsShape, now: number): ReadonlyArray<Due> => {
  const [self] = rows<SelfRow>(selectSelf)
  if (self === undefined) return []
  const { minimumMs, maximumMs } = settings.bounds
  const known = rows<PolledRow>(selectPolled, minimumMs, maximumMs)
  const connected = known.filter(({ state }) => state === "connected")
  const ofAccounts = known.flatMap((account): ReadonlyArray<Due> => {
    const { provider, rateLimitedUntil, keptAliveAt, refreshLimitedUntil, refusedRetryAt } = account
    const { authorizedAt, warnedDays } = account
    const grant = { expiresAt: account.expiresAt ?? 0, retryAt: account.refreshRetryAt, refreshLimitedUntil }
    if (account.state !== "connected") {
      return [{ what: "retryRefused", provider, at: Math.max(refusedRetryAt ?? 0, refreshableAt(grant)) }]
    }
    const checks = [account.earliestSource, account.earliestWaiting].filter((at) => at !== null)
    const earliest = checks.length === 0 ? null : Math.min(...checks)
    const wanted = pollWantedAt(account, earliest, settings)
    const known = providers.find((one) => one === provider)
    const idleMs = known === undefined ? null : keepAliveAfterMs[known]
    const lifetimeMs = known === undefined ? null : settings.grantLifetimes[known]
    const warning = nextWarning({ authorizedAt, warnedDays, lifetimeMs }, now)
    return [
      { what: "poll", provider, at: requestableAt(wanted, rateLimitedUntil, grant, now) },
      ...dueAt("keepAlive", provider, idleMs && Math.max((keptAliveAt ?? 0) + idleMs, refreshableAt(grant))),
      ...dueAt("warning", provider, warning?.at ?? null),
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

/**
 * An alarm for now is set for so much later, in milliseconds: set for at once from inside an alarm, it has been late by tens of seconds
 * (cloudflare/workerd#6866).
 */
const momentMs = 50

/** Sets the alarm to the earliest of what is due, if it is not set so already. Returns it. */
export const arm = Effect.fnUntraced(function* () {
  const store = yield* Store
  const settings = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const due = earliestDue(dueList(store, settings, now))
  const at = due === null ? null : Math.max(due, now + momentMs)
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

/** Counts a person's sources, those that fail, and the rows that D1 refuses. */
export const readCounts = ({ rows }: Store["Service"]): CountsRow =>
  rows<CountsRow>(selectCounts)[0] ?? { sources: 0, failing: 0, setAside: 0 }

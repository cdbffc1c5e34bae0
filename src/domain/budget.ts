import { withinMs } from "./outage.ts"
import type { Pause } from "./pause.ts"
import type { Provider } from "./provider.ts"
import { nextPacificMidnight } from "./quota.ts"

// What an application may ask of a provider, and who has how much of it. Pure: the object that keeps it is `src/budget/ProviderBudget.ts`.

/** What a provider lets one OAuth client do, or a shard's part of it. 0 stands for as much as one likes. */
export interface BudgetLimits {
  /** Requests in any window of `windowMs`. */
  readonly rate: number
  readonly windowMs: number
  /** Units of a day, which ends at midnight in California. */
  readonly daily: number
}

/** A block of requests that somebody may make until its end. */
interface Lease {
  readonly id: number
  readonly units: number
  /** The last moment at which a request of it is made: epoch milliseconds. */
  readonly endsAt: number
  /** The end of the day whose units it has. */
  readonly dayEndsAt: number
}

/** All that is known of one budget. */
export interface Ledger {
  readonly nextId: number
  /** The latest time that was seen: epoch milliseconds. */
  readonly seenAt: number
  /** Leases whose holders have not said yet what they used: over or not, they count as used. */
  readonly leases: ReadonlyArray<Lease>
  /** Requests that may have been made up to a moment: they count in every window that begins before it. Epoch milliseconds. */
  readonly made: ReadonlyArray<{ readonly units: number; readonly until: number }>
  /** The units of the day that ends then; those of leases included. */
  readonly day: { readonly endsAt: number; readonly units: number }
  readonly pause: Pause | null
  /** Units leased since a moment, and in as long a time before it. */
  readonly recent: { readonly since: number; readonly units: number; readonly before: number }
}

/** Units of the last minutes, about: of the time under way, or of the one before it if there were more. */
export const recentUnits = ({ recent }: Ledger): number => Math.max(recent.units, recent.before)

/** Adds units to those of the last minutes. */
const counted = ({ since, units, before }: Ledger["recent"], added: number, now: number): Ledger["recent"] => {
  const age = now - since
  if (age >= 0 && age < withinMs) return { since, units: units + added, before }
  return { since: now, units: added, before: age < 2 * withinMs ? units : 0 }
}

export const emptyLedger: Ledger = {
  nextId: 1,
  seenAt: 0,
  leases: [],
  made: [],
  day: { endsAt: 0, units: 0 },
  pause: null,
  recent: { since: 0, units: 0, before: 0 },
}

/** The part that is kept for polls that somebody waits for. */
const reserved = 0.2

/** How far background work may be ahead of the day: so that a morning's work leaves something for the evening. */
const ahead = 0.25

const dayMs = 24 * 3_600_000

/** No day is longer than that, in milliseconds: one has 25 hours. */
const longestDayMs = 26 * 3_600_000

/** How long after its end what was not used of a lease can be given back to the day, in milliseconds. */
const returnedWithinMs = 3_600_000

/** Longest time that a lease lasts, in milliseconds: what a provider asks for reaches its holders within it. */
const longestLeaseMs = 60_000

/** How long before a day's end its last requests are made, in milliseconds: clocks differ. */
const beforeMidnightMs = 5_000

/** At most such a part of what is left goes into one lease, so that nobody takes all. */
const largestPart = 4

const sum = (all: ReadonlyArray<{ readonly units: number }>) => all.reduce((total, { units }) => total + units, 0)

/** A clock that was put back: whatever is to come stays as far away as it was. */
const shifted = (ledger: Ledger, now: number): Ledger => {
  const by = ledger.seenAt - now
  if (by <= 0) return ledger
  return {
    ...ledger,
    leases: ledger.leases.map((lease) => ({ ...lease, endsAt: lease.endsAt - by })),
    made: ledger.made.map((made) => ({ ...made, until: made.until - by })),
  }
}

/** A day's units. A day that ends sooner than the one before it is the work of a clock, and brings nothing. */
const dayAt = ({ day }: Ledger, now: number): Ledger["day"] => {
  const endsAt = nextPacificMidnight(now)
  if (endsAt > day.endsAt) return { endsAt, units: 0 }
  return day.endsAt - now > longestDayMs ? { endsAt, units: day.units } : day
}

/** The ledger at a moment: what is out of every window is forgotten, and a new day has its units. */
const asOf = (before: Ledger, { windowMs, daily }: BudgetLimits, now: number): Ledger => {
  const ledger = shifted(before, now)
  const keptMs = daily === 0 ? windowMs : Math.max(windowMs, returnedWithinMs)
  return {
    ...ledger,
    seenAt: now,
    leases: ledger.leases.filter(({ endsAt }) => endsAt + keptMs >= now),
    made: ledger.made.filter(({ until }) => until + windowMs >= now),
    day: dayAt(ledger, now),
    pause: ledger.pause !== null && ledger.pause.retryAt > now ? ledger.pause : null,
  }
}

export interface LeaseRequest {
  readonly wanted: number
  /** Whether somebody waits for it. */
  readonly isRequested: boolean
}

/** A block of requests, or when to ask again (epoch milliseconds) and why. */
export type Leased =
  | {
      readonly id: number
      readonly units: number
      readonly lastsMs: number
      /** Whether more than half of what there is has been given: then everybody keeps to a part. */
      readonly isScarce: boolean
    }
  | Pause

/** Requests that count in the window that ends now. */
const inWindow = ({ leases, made }: Ledger, { windowMs }: BudgetLimits, now: number): number =>
  sum(leases.filter(({ endsAt }) => endsAt + windowMs >= now)) + sum(made)

/** What may be leased now: of the window, and of the day. */
const available = (ledger: Ledger, limits: BudgetLimits, isRequested: boolean, now: number) => {
  const { rate, daily } = limits
  const { day } = ledger
  const share = isRequested ? 1 : 1 - reserved
  const elapsed = Math.max(0, 1 - (day.endsAt - now) / dayMs)
  const pace = isRequested ? 1 : Math.min(1, elapsed + ahead)
  return {
    ofWindow:
      rate === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(rate * share)) - inWindow(ledger, limits, now),
    ofDay: daily === 0 ? Number.POSITIVE_INFINITY : Math.floor(daily * share * pace) - day.units,
  }
}

/** When the window has room again. */
const roomAt = ({ leases, made }: Ledger, { windowMs }: BudgetLimits, now: number): number => {
  const ends = [...leases.map(({ endsAt }) => endsAt), ...made.map(({ until }) => until)]
  const first = Math.min(...ends.map((end) => end + windowMs + 1).filter((at) => at > now))
  return Number.isFinite(first) ? first : now + windowMs
}

/** When the day's pace lets background work go on; a request, or a day that is spent, waits for the next one. */
const paceAt = ({ day }: Ledger, { daily }: BudgetLimits, isRequested: boolean, now: number): number => {
  const spent = (day.units + 1) / (daily * (1 - reserved))
  if (isRequested || spent > 1) return day.endsAt
  return Math.max(now, day.endsAt - Math.floor((1 + ahead - spent) * dayMs)) + 1000
}

/**
 * Leases a block of requests. However calls, clocks and evictions fall, no window has more requests than its rate and no day more units
 * than it has, as long as holders keep to their leases and clocks run equally fast: a lease counts from the moment it is given until a
 * window after its end, or after the moment at which its holder has said how much of it was used.
 */
export const lease = (
  before: Ledger,
  limits: BudgetLimits,
  { wanted, isRequested }: LeaseRequest,
  now: number,
): { readonly ledger: Ledger; readonly leased: Leased } => {
  const ledger = asOf(before, limits, now)
  const { rate, windowMs, daily } = limits
  if (ledger.pause !== null) return { ledger, leased: ledger.pause }
  const { ofWindow, ofDay } = available(ledger, limits, isRequested, now)
  const untilMidnight = daily === 0 ? Number.POSITIVE_INFINITY : ledger.day.endsAt - now - beforeMidnightMs
  const lastsMs = Math.min(rate === 0 ? longestLeaseMs : windowMs / 2, untilMidnight)
  const spent = (retryAt: number) => ({ ledger, leased: { reason: "budget_spent" as const, retryAt } })
  if (ofDay < 1) return spent(paceAt(ledger, limits, isRequested, now))
  if (lastsMs <= 0) return spent(ledger.day.endsAt + beforeMidnightMs)
  if (ofWindow < 1) return spent(roomAt(ledger, limits, now))
  const left = Math.min(ofWindow, ofDay)
  const units = Math.min(wanted, Math.max(1, Math.ceil(left / largestPart)))
  const id = ledger.nextId
  return {
    ledger: {
      ...ledger,
      nextId: id + 1,
      leases: [...ledger.leases, { id, units, endsAt: now + lastsMs, dayEndsAt: ledger.day.endsAt }],
      day: { ...ledger.day, units: ledger.day.units + units },
      recent: counted(ledger.recent, units, now),
    },
    leased: {
      id,
      units,
      lastsMs,
      isScarce: ofWindow - units < rate / 2 || (daily > 0 && ofDay - units < daily / 4),
    },
  }
}

/** Takes back what a holder has not used of a lease. One that is unknown, or has been taken back, stays as it counts. */
export const settle = (
  before: Ledger,
  limits: BudgetLimits,
  { id, used }: { readonly id: number; readonly used: number },
  now: number,
): Ledger => {
  const ledger = asOf(before, limits, now)
  const found = ledger.leases.find((one) => one.id === id)
  if (found === undefined) return ledger
  const units = Math.min(found.units, Math.max(0, used))
  const returned = found.dayEndsAt === ledger.day.endsAt ? found.units - units : 0
  const isCounted = units > 0 && limits.rate > 0
  return {
    ...ledger,
    leases: ledger.leases.filter((one) => one !== found),
    made: isCounted ? [...ledger.made, { units, until: Math.min(now, found.endsAt) }] : ledger.made,
    day: { ...ledger.day, units: Math.max(0, ledger.day.units - returned) },
  }
}

/** Keeps everybody from asking until then; a pause that lasts longer stays. */
export const pause = (before: Ledger, limits: BudgetLimits, asked: Pause, now: number): Ledger => {
  const ledger = asOf(before, limits, now)
  const isLonger = asked.retryAt > Math.max(now, ledger.pause?.retryAt ?? 0)
  return isLonger ? { ...ledger, pause: asked } : ledger
}

/** The budget of a provider and an OAuth client (`null`: the default one), by its name, or one of its shards. */
export const budgetName = (provider: Provider, client: string | null, shard: number): string =>
  `${provider}:${client ?? "default"}:${shard}`

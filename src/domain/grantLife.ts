import { Config, Duration } from "effect"
import type { Provider } from "./provider.ts"

// How long a grant can be refreshed, counted from the person's authorization: refreshing it changes nothing about that.

const dayMs = 24 * 3_600_000

/**
 * Spotify's refresh tokens end six months after the authorization
 * (https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration). These are the shortest six months that there are, 181 days,
 * so that nobody is told a date that comes too late, however Spotify counts. Milliseconds.
 */
export const spotifyLifetimeMs = 181 * dayMs

/** How long grants of each provider live, in milliseconds; `null`: age ends none of them. */
export type GrantLifetimes = Readonly<Record<Provider, number | null>>

/** Google ends grants by their age only for applications in testing, after 7 days: a setting, since no grant shows it. */
export const grantLifetimes: Config.Config<GrantLifetimes> = Config.Duration("YOUTUBE_GRANT_LIFETIME").pipe(
  Config.map((lifetime): number | null => Math.max(1, Duration.toMillis(lifetime))),
  Config.withDefault(null),
  Config.map((youtube) => ({ spotify: spotifyLifetimeMs, youtube })),
)

/**
 * A grant that has not been refreshed for so long is refreshed, in milliseconds: Google ends grants that nothing uses for 6 months.
 * `null` where that extends nothing.
 */
export const keepAliveAfterMs: Readonly<Record<Provider, number | null>> = { spotify: null, youtube: 30 * dayMs }

/** The moment by which the person has to connect again; `null` where nothing ends by age, or nobody knows the age. Epoch milliseconds. */
export const reconnectBy = (lifetimeMs: number | null, authorizedAt: number | null): number | null =>
  lifetimeMs === null || authorizedAt === null ? null : authorizedAt + lifetimeMs

/** Days before the end of a grant on which its person is warned, the earliest first. */
const warningDays = [30, 7, 1]

export interface GrantAge {
  /** Epoch milliseconds; `null` where nobody knows. */
  readonly authorizedAt: number | null
  readonly lifetimeMs: number | null
  /** The last warning that was given; `null` for none. */
  readonly warnedDays: number | null
}

export interface Warning {
  /** Days before the end. */
  readonly days: number
  /** When it is due: epoch milliseconds, which may have passed. */
  readonly at: number
}

/** The next warning before a grant ends. Of several that are overdue only the most urgent is given; none of a grant that has ended. */
export const nextWarning = ({ authorizedAt, lifetimeMs, warnedDays }: GrantAge, now: number): Warning | null => {
  const end = reconnectBy(lifetimeMs, authorizedAt)
  if (end === null || authorizedAt === null || now >= end) return null
  const left = warningDays
    .filter((days) => warnedDays === null || days < warnedDays)
    .map((days) => ({ days, at: end - days * dayMs }))
    .filter(({ at }) => at > authorizedAt)
  return left.findLast(({ at }) => at <= now) ?? left[0] ?? null
}

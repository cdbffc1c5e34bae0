import { simulatedSettings } from "../stack/settings.ts"
import type { RehearsalOptions } from "./options.ts"

/** How many of a source's newest items the first poll delivers: enough to see that there was one. */
export const backfillItems = 2

/**
 * Seconds that access tokens live. Either side refreshes in the last tenth of that, so a grant is refreshed about every two minutes: by
 * one side before its person moves, by the other after.
 */
export const accessTokenSeconds = 135

/** How often things happen, by how many people there are: two cores do the work of all of them, and of both providers. */
export interface Pace {
  /** Between two polls by an object, in seconds, at least and at most. */
  readonly pollSeconds: readonly [minimum: number, maximum: number]
  /** From the end of a run of cron to the next, in milliseconds. */
  readonly betweenCronRunsMs: number
  /** Items published, and tokens set by people, a second. */
  readonly itemsPerSecond: number
  readonly tokensPerSecond: number
}

export const paceOf = (users: number): Pace => {
  // What two cores poll in a second, so that no answer waits until it is too late, which costs a grant that rotates. Many people are
  // polled less often than their tokens live, so that each poll refreshes as well.
  const peopleASecond = users > 1000 ? 12 : 30
  const seconds = Math.max(6, Math.round(users / peopleASecond))
  return {
    pollSeconds: [seconds, Math.round(seconds * 1.3)],
    betweenCronRunsMs: Math.max(1500, users * 5),
    itemsPerSecond: 4,
    tokensPerSecond: 2,
  }
}

/** Limits that the workers are run under, as Cloudflare has them or narrower, and settings that keep within them. */
export const limitSettings = ({
  subrequests,
  instanceSubrequests,
}: Pick<RehearsalOptions, "subrequests" | "instanceSubrequests">): Readonly<Record<string, string>> => {
  const isNarrow = subrequests < 10_000
  return {
    LIMIT_SUBREQUESTS: String(subrequests),
    LIMIT_INSTANCE_SUBREQUESTS: String(instanceSubrequests),
    // A tenth less: what is under way when a limit is near still asks.
    MOVE_REQUEST_LIMIT: String(Math.floor(instanceSubrequests * 0.9)),
    ...(isNarrow && {
      CRON_REQUEST_LIMIT: String(Math.floor(subrequests * 0.1)),
      CRON_CONCURRENCY: "5",
      LEGACY_REQUEST_LIMIT: String(Math.floor(subrequests * 0.7)),
    }),
  }
}

/** Variables of the core worker, and of the cron worker, whose legacy poller reads some of them. */
export const coreSettings = (simulatorUrl: string, { pollSeconds }: Pace) => ({
  ...simulatedSettings(simulatorUrl),
  POLL_MINIMUM_INTERVAL: `${pollSeconds[0]} seconds`,
  POLL_MAXIMUM_INTERVAL: `${pollSeconds[1]} seconds`,
  BACKFILL_ITEMS: String(backfillItems),
  // An answer that comes too late to be written down costs a grant, whoever asked; a busy machine is not what is rehearsed.
  REQUEST_TIMEOUT: "20 seconds",
})

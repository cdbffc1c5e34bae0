import type { subscriptions } from "../../schema/object.ts"
import { type IntervalBounds, jitterFraction, withJitter } from "../domain/interval.ts"

type Source = Pick<
  typeof subscriptions.$inferSelect,
  | "isPending"
  | "watchedAt"
  | "listedCount"
  | "itemCount"
  | "state"
  | "failures"
  | "isCountUnreliable"
  | "intervalMs"
  | "dueAt"
>

/** Whether a source waits to be asked, whatever the time. */
const isWaiting = ({ isPending, watchedAt, listedCount, itemCount, state }: Source): boolean =>
  isPending || (watchedAt === null && listedCount !== itemCount && state !== "gone")

/** When the library that tells of a source was read, and when it is looked at next: epoch milliseconds. */
interface Library {
  readonly libraryReadAt: number | null
  readonly lookAt: number | null
}

/**
 * When a source is due, in epoch milliseconds: at once if it waits to be asked; with the next look at the library, which tells of it; as its
 * row says where the library tells nothing of it, or the last check has failed. Until it has been learned when to look at the library, an
 * interval after it was read last, spread by the milliseconds of the row's time. So nothing is written for a source that is not asked.
 */
export const dueAtOf = (source: Source, { libraryReadAt, lookAt }: Library, bounds: IntervalBounds): number => {
  const { failures, isCountUnreliable, dueAt, intervalMs } = source
  if (isWaiting(source) && failures === 0) return 0
  if (failures > 0 || isCountUnreliable || libraryReadAt === null) return dueAt
  return lookAt ?? libraryReadAt + withJitter(intervalMs, (dueAt % 1000) / 1000, bounds)
}

const wanted = "min(?2, max(?1, interval_ms))"
const shortest = `max(?1, ${wanted} * (1 - ${jitterFraction}))`
const longest = `min(?2, ${wanted} * (1 + ${jitterFraction}))`

/** The same in SQL, of `subscriptions source` beside the columns of its account; `?1` and `?2` are the bounds of intervals. */
export const selectDueAt = `CASE
  WHEN (is_pending OR (watched_at IS NULL AND listed_count IS NOT item_count AND source.state <> 'gone')) AND source.failures = 0 THEN 0
  WHEN source.failures > 0 OR is_count_unreliable THEN due_at
  WHEN look_at IS NOT NULL THEN look_at
  ELSE round(library_read_at + ${shortest} + (due_at % 1000) / 1000.0 * (${longest} - ${shortest})) END`

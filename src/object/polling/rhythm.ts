import { Option } from "effect"
import type { IntervalBounds } from "../../domain/interval.ts"
import type { Provider } from "../../domain/provider.ts"
import { libraryPrice, nextLook } from "../../domain/schedule/nextLook.ts"
import { decodeRhythm, encodeRhythm, type Rhythm, rhythmOf, together } from "../../domain/schedule/rhythm.ts"
import type { Store } from "../Store.ts"
import * as statements from "./statements.ts"

// When a library is looked at: it tells of all its sources at once.

/** Items that are learned from are not older than this, in milliseconds: twelve weeks. */
const learnedMs = 84 * 24 * 3_600_000

/** Learns from the known items of all sources that this object looks after, as it is stored. */
export const learnedRhythm = ({ rows }: Store["Service"], provider: Provider, now: number): string => {
  const bySource = rows<{ times: string }>(statements.selectArrivals, provider, now - learnedMs)
  return encodeRhythm(together(bySource.map(({ times }) => rhythmOf(JSON.parse(times), now))))
}

/** The moment of the next look at a library that has just been read, in epoch milliseconds; `null` where nothing has been learned. */
export const nextLibraryAt = (rhythm: string | null, now: number, bounds: IntervalBounds): number | null =>
  Option.match(rhythm === null ? Option.none<Rhythm>() : decodeRhythm(rhythm), {
    onNone: () => null,
    // Never longer than the longest interval, however certain: somebody may follow something new.
    onSome: (learned) =>
      Math.min(now + bounds.maximumMs, nextLook(learned, now, { ...bounds, price: libraryPrice(learned, bounds) })),
  })

import { Option, Schema } from "effect"
import type { IntervalBounds } from "../../domain/interval.ts"
import type { Provider } from "../../domain/provider.ts"
import { libraryPrice, nextLook } from "../../domain/schedule/nextLook.ts"
import { Rhythm, rhythmOf, slotMs, together } from "../../domain/schedule/rhythm.ts"
import type { Store } from "../Store.ts"
import * as statements from "./statements.ts"

// When a library is looked at: it tells of all its sources at once.

/** Items that are learned from are not older than this, in milliseconds: twelve weeks. */
const learnedMs = 84 * 24 * 3_600_000

/** What is stored of an account: the rhythm of all its sources, and when it was learned, in epoch milliseconds. */
const Learned = Schema.fromJsonString(Schema.Struct({ ...Rhythm.fields, learnedAt: Schema.Int }))
const decode = Schema.decodeOption(Learned)
const encode = Schema.encodeSync(Learned)

/** How long what has been learned is good, in milliseconds: a day, or six hours if something was found. Learning reads every known item. */
const goodForMs = { unchanged: 24 * 3_600_000, changed: 6 * 3_600_000 }

/** The rhythm of an account after a pass that has asked for items: as it is, or learned anew from the known items of its sources. */
export const currentRhythm = (
  { rows }: Store["Service"],
  provider: Provider,
  stored: string | null,
  { itemsFound, now }: { readonly itemsFound: number; readonly now: number },
): string => {
  const known = stored === null ? undefined : Option.getOrUndefined(decode(stored))
  const goodFor = itemsFound > 0 ? goodForMs.changed : goodForMs.unchanged
  if (stored !== null && known !== undefined && Math.abs(now - known.learnedAt) < goodFor) return stored
  const bySource = rows<{ times: string }>(statements.selectArrivals, provider, now - learnedMs)
  return encode({ ...together(bySource.map(({ times }) => rhythmOf(JSON.parse(times), now))), learnedAt: now })
}

/** The moment of the next look at a library that has just been read, in epoch milliseconds; `null` where nothing has been learned. */
export const nextLibraryAt = (rhythm: string | null, now: number, bounds: IntervalBounds): number | null =>
  // Half hours of the week say nothing where a library is read more often than that in any case.
  Option.match(rhythm === null || bounds.maximumMs <= slotMs ? Option.none<Rhythm>() : decode(rhythm), {
    onNone: () => null,
    // Never longer than the longest interval, however certain: somebody may follow something new.
    onSome: (learned) =>
      Math.min(now + bounds.maximumMs, nextLook(learned, now, { ...bounds, price: libraryPrice(learned, bounds) })),
  })

import { stableHash } from "./hash.ts"
import type { Provider } from "./provider.ts"
import { fairPrice, nextLook } from "./schedule/nextLook.ts"
import type { Rhythm } from "./schedule/rhythm.ts"

/** The hub that looks after a source, by its name, among so many. */
export const hubOf = (provider: Provider, sourceId: string, hubs: number): string =>
  `${provider}:${stableHash(`pollen:hub:${provider}:${sourceId}`) % hubs}`

/** Looks at a channel a day, in the mean, and how many times as many one with many followers gets at most. */
const looksADay = 12
const mostFor = 2

const weekMs = 7 * 24 * 3_600_000

/** A feed says the same for a quarter of an hour. */
const minimumMs = 15 * 60_000

/**
 * The first moment after `since` at which a source is to be looked at, in epoch milliseconds: looks follow each other from the beginning of
 * the source's own week on. So when a look is due follows from how the source publishes alone, and nothing is written for one that finds
 * nothing. Once in each longest interval it is looked at in any case.
 */
export const nextLookAt = (
  { sourceId, followers }: { readonly sourceId: string; readonly followers: number },
  rhythm: Rhythm,
  since: number,
  maximumMs: number,
): number => {
  const price = fairPrice(rhythm, looksADay * Math.min(mostFor, followers ** 0.25))
  const shift = Math.floor((stableHash(`pollen:look:${sourceId}`) / 2 ** 32) * weekMs)
  const week = Math.floor((since - shift) / weekMs) * weekMs + shift
  let at = week
  while (at <= since) at = nextLook(rhythm, at, { price, minimumMs, maximumMs })
  return Math.min(week + weekMs, at, onGrid(sourceId, maximumMs, since + 1))
}

/**
 * The first moment from `at` on that lies on a grid of steps, shifted by a name. Of a hub: looks that are due at about the same time are
 * taken in one wake. Of a source: it is never left alone for longer.
 */
export const onGrid = (name: string, stepMs: number, at: number): number => {
  const shift = stableHash(`pollen:grid:${name}`) % stepMs
  return Math.ceil((at + shift) / stepMs) * stepMs - shift
}

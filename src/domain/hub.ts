import { stableHash } from "./hash.ts"
import type { Provider } from "./provider.ts"

/** The hub that looks after a source, by its name, among so many. */
export const hubOf = (provider: Provider, sourceId: string, hubs: number): string =>
  `${provider}:${stableHash(`pollen:hub:${provider}:${sourceId}`) % hubs}`

/**
 * The first moment after `since` at which a source is to be looked at, in epoch milliseconds. Looks lie on a grid of the interval that
 * is shifted by the source: when one is due follows from that, and nothing is written for a look that found nothing.
 */
export const nextLookAt = (sourceId: string, intervalMs: number, since: number): number => {
  const shift = stableHash(`pollen:look:${sourceId}`) % intervalMs
  return (Math.floor((since + shift) / intervalMs) + 1) * intervalMs - shift
}

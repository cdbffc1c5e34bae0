import { Option } from "effect"
import { decodeRhythm, encodeRhythm, publicationsLearned, type Rhythm, rhythmOf } from "../domain/schedule/rhythm.ts"
import type { Store } from "../object/Store.ts"
import { provider } from "./Hub.ts"
import * as statements from "./statements.ts"

/** How a source publishes, as far as it has been learned. */
export const rhythmOfSource = ({ rhythm }: Pick<statements.HubSource, "rhythm">): Rhythm =>
  Option.getOrElse(rhythm === null ? Option.none() : decodeRhythm(rhythm), () => rhythmOf([], 0))

/** Learns how a source publishes from its items, as it is stored. */
export const learnedRhythm = ({ rows }: Pick<Store["Service"], "rows">, sourceId: string, now: number): string => {
  const published = rows<{ at: number }>(statements.selectPublished, provider, sourceId, publicationsLearned)
  return encodeRhythm(
    rhythmOf(
      published.map(({ at }) => at),
      now,
    ),
  )
}

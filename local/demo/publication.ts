import { Effect } from "effect"
import type { SeededPerson } from "../simulator/model.ts"
import { Simulator } from "../stack/Simulator.ts"
import type { Published } from "./verdict.ts"

/** Items come in waves, so that most of them appear while other passes are under way. */
const waves = 8
const betweenWaves = "250 millis"

/** Spreads items over the sources of everybody, by a stride that visits shared and own sources of all people alike. */
const choose = (sources: ReadonlyArray<string>, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => sources[(index * 37) % sources.length]).filter(
    (source) => source !== undefined,
  )

/** Publishes new items in what the people follow, in waves. */
export const publish = Effect.fnUntraced(function* (people: ReadonlyArray<SeededPerson>, count: number) {
  const simulator = yield* Simulator
  const sources = [...new Set(people.flatMap(({ shows, channels }) => [...shows, ...channels]))]
  const chosen = choose(sources, count)
  const size = Math.max(1, Math.ceil(chosen.length / waves))
  const published: Array<Published> = []
  for (let start = 0; start < chosen.length; start += size) {
    const wave = chosen.slice(start, start + size)
    const items = yield* simulator.ask((client) => client.publishMany(wave.map((source) => ({ source, count: 1 }))))
    for (const [index, sourceId] of wave.entries()) {
      for (const { id } of items[index] ?? []) published.push({ itemId: id, sourceId })
    }
    yield* Effect.sleep(betweenWaves)
  }
  return published
})

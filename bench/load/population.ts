import type { SimulatorClient } from "../../local/simulator/client.ts"
import type { Provider } from "../../src/domain/provider.ts"
import type { LoadOptions } from "./options.ts"

export interface Follower {
  readonly id: string
  readonly sources: ReadonlyArray<string>
}

/** Sources of a provider for each person. */
const sourcesPerPerson = 2

/** Chances that differ from run to run by nothing: a linear congruential generator (Numerical Recipes). */
const makeDice = () => {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Draws sources by a Zipf law: the k-th with a probability in proportion to 1/k. */
const zipf = (sources: ReadonlyArray<string>, dice: () => number) => {
  let total = 0
  const upTo = sources.map((_, index) => {
    total += 1 / (index + 1)
    return total
  })
  return () => {
    const drawn = dice() * total
    let [low, high] = [0, sources.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? total) < drawn) low = middle + 1
      else high = middle
    }
    return sources[low] ?? ""
  }
}

const inParts = async <A, B>(
  all: ReadonlyArray<A>,
  size: number,
  work: (part: ReadonlyArray<A>) => Promise<ReadonlyArray<B>>,
) => {
  const results: Array<B> = []
  for (let from = 0; from < all.length; from += size) results.push(...(await work(all.slice(from, from + size))))
  return results
}

/** Items that a source has before anybody follows it. */
const archiveItems = 2

/** Creates sources, and people who follow them by a Zipf law. */
export const populate = async (
  simulator: SimulatorClient,
  { users, each }: LoadOptions,
): Promise<{ readonly people: ReadonlyArray<Follower>; readonly sources: ReadonlyArray<string> }> => {
  const make = (provider: Provider) =>
    inParts(
      Array.from({ length: Math.max(each, users * sourcesPerPerson) }, () => ({ provider, items: archiveItems })),
      2000,
      (part) => simulator.createSources(part),
    )
  const byProvider = [await make("spotify"), await make("youtube")]
  const dice = makeDice()
  const draws = byProvider.map((sources) => zipf(sources, dice))
  const people = Array.from({ length: users }, (_, index) => ({
    id: `person-${String(index).padStart(6, "0")}`,
    sources: draws.flatMap((draw) => {
      const own = new Set<string>()
      while (own.size < each) own.add(draw())
      return [...own]
    }),
  }))
  await inParts(people, 500, async (part) => {
    await simulator.createPeople(part.map(({ id, sources }) => ({ id, sources })))
    return []
  })
  return { people, sources: byProvider.flat() }
}

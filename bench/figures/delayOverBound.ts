import type { Figure } from "../figure.ts"
import { policies } from "../policy/policies.ts"
import { replay, summarise } from "../policy/replay.ts"
import { makeTraces, type Trace } from "../policy/traces.ts"
import { freshSeeds, looksADay, round } from "./delayOverMinifluxRule.ts"

const meanOf = (traces: ReadonlyArray<Trace>, policy: "bound" | "density", looks: number) =>
  summarise(replay(traces, policies[policy], looks)).mean

export const delayOverBound: Figure = {
  name: "delay_over_bound",
  says: "In no class of sources are new items found much later than by somebody who knows the true rates and looks as often.",
  unit: "of the hours",
  limit: 1.25,
  bound: "atMost",
  measure: async (_stage, { isQuick, tell }) => {
    const traces = freshSeeds.flatMap((seed) => makeTraces(seed, isQuick ? 4 : 10))
    const samples: Record<string, Array<number>> = {}
    const overDensity: Record<string, Array<number>> = {}
    for (const looks of looksADay) {
      const ours = replay(traces, policies.predicted, looks)
      for (const name of new Set(traces.map((trace) => trace.name))) {
        tell(`${looks} looks a day: ${name}`)
        const own = summarise(ours.filter((one) => one.name === name))
        const ofClass = traces.filter((trace) => trace.name === name)
        const [bound, density] = [meanOf(ofClass, "bound", own.looksADay), meanOf(ofClass, "density", own.looksADay)]
        // The better of the two: what can be passed is no bound.
        samples[name] = [...(samples[name] ?? []), own.mean / Math.min(bound, density)]
        overDensity[name] = [...(overDensity[name] ?? []), own.mean / density]
      }
    }
    const worst = (ratios: Readonly<Record<string, ReadonlyArray<number>>>) =>
      Object.entries(ratios)
        .map(([name, of]) => `${name} ${round(Math.max(...of))}`)
        .join(", ")
    const how = `mean delay by class of sources, over the better of two rules that know the true rates and what has been found, with as many looks in that class: when what is there has waited for long enough, and at a density of √rate; at 2, 3 and 4 looks of a source a day in the mean of all, seeds 10 to 12; the worst of all, by class: ${worst(samples)}; over the density of √rate alone: ${worst(overDensity)}`
    return { value: round(Math.max(...Object.values(samples).flat())), how, samples }
  },
}

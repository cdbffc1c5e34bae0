import type { Figure } from "../figure.ts"
import { policies } from "../policy/policies.ts"
import { replay, summarise } from "../policy/replay.ts"
import { makeTraces } from "../policy/traces.ts"
import { freshSeeds, round } from "./delayOverMinifluxRule.ts"

export const delayOverBound: Figure = {
  name: "delay_over_bound",
  says: "In no class of sources are new items found much later than by somebody who knows the true rates and looks as often.",
  unit: "of the hours",
  limit: 1.25,
  bound: "atMost",
  measure: async (_stage, { isQuick, tell }) => {
    const traces = freshSeeds.flatMap((seed) => makeTraces(seed, isQuick ? 2 : 6))
    const samples: Record<string, Array<number>> = {}
    const ours = replay(traces, policies.predicted, 3)
    for (const name of new Set(traces.map((trace) => trace.name))) {
      tell(name)
      const own = summarise(ours.filter((one) => one.name === name))
      const theirs = replay(
        traces.filter((trace) => trace.name === name),
        policies.bound,
        own.looksADay,
      )
      samples[name] = [own.mean / summarise(theirs).mean]
    }
    const how =
      "mean delay by class of sources over that of looks at a density of √rate, the true rate known, as many in that class; 3 looks of a source a day in the mean of all, seeds 10 to 12; the worst class"
    return { value: round(Math.max(...Object.values(samples).flat())), how, samples }
  },
}

import type { Figure } from "../figure.ts"
import { policies } from "../policy/policies.ts"
import { replay, summarise } from "../policy/replay.ts"
import { makeTraces } from "../policy/traces.ts"

/** Seeds that were not looked at while the policy was tuned. */
export const freshSeeds = [10, 11, 12] as const

export const looksADay = [2, 3, 4] as const

export const delayOverMinifluxRule: Figure = {
  name: "delay_over_miniflux_rule",
  says: "New items are found at most half as late as by miniflux's rule with as many looks, in the mean and at the 95th percentile.",
  unit: "of the hours",
  limit: 0.5,
  bound: "atMost",
  measure: async (_stage, { isQuick, tell }) => {
    const traces = freshSeeds.flatMap((seed) => makeTraces(seed, isQuick ? 4 : 10))
    const samples: Record<string, Array<number>> = { mean: [], p95: [] }
    for (const looks of looksADay) {
      tell(`${looks} looks a day`)
      const [ours, theirs] = [policies.predicted, policies.miniflux].map((policy) =>
        summarise(replay(traces, policy, looks)),
      )
      if (ours === undefined || theirs === undefined) throw new Error("nothing was replayed")
      samples["mean"]?.push(ours.mean / theirs.mean)
      samples["p95"]?.push(ours.p95 / theirs.p95)
    }
    const how =
      "mean and 95th percentile of the delay over a mixed trace of seven classes of sources, at 2, 3 and 4 looks of a source a day by either rule, the larger ratio of all; seeds 10 to 12"
    return { value: round(Math.max(...Object.values(samples).flat())), how, samples }
  },
}

export const round = (value: number): number => Number(value.toFixed(3))

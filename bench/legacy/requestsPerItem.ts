import { drawFrom, habits, mixed } from "../day/habits.ts"
import type { Figure } from "../figure.ts"
import { channelsPerPerson, simulate } from "../figures/personDay.ts"
import { insertPeople } from "./population.ts"
import { openProduction } from "./production.ts"

const hour = 3_600_000
/** Runs of the legacy poller a day: one in 30 minutes. */
const runsADay = 48
const seed = 10

/** What the legacy poller asks the providers for, for one item that it delivers, over days of a person of mixed habits. */
const ofLegacy = async (days: number, tell: (text: string) => void) => {
  const production = await openProduction({})
  try {
    const { simulator, database, runCron } = production
    const from = Date.now()
    const kinds = (["spotify", "youtube"] as const).flatMap((provider) => mixed.map((habit) => ({ provider, habit })))
    const sources = await simulator.createSources(kinds.map(({ provider }) => ({ provider, items: 30 })))
    await simulator.createPeople([{ id: "ada", sources }])
    await insertPeople(production, ["ada"])
    const planned = kinds.flatMap(({ habit }, index) =>
      habits[habit](drawFrom(seed * 1000 + index), from - 90 * 24 * hour, from + days * 24 * hour)
        .filter((at) => at >= from)
        .map((at) => ({ at, source: sources[index] ?? "" })),
    )
    // The first run delivers what was there.
    await runCron()
    await simulator.clearLedger()
    for (let run = 1; run <= runsADay * days; run += 1) {
      tell(`run ${run} of ${runsADay * days} of the legacy poller`)
      const [after, until] = [from + ((run - 1) * hour) / 2, from + (run * hour) / 2]
      for (const { source } of planned.filter(({ at }) => at > after && at <= until)) await simulator.publish(source, 1)
      await runCron()
    }
    const { byKind } = await simulator.counts()
    const requests = Object.entries(byKind).reduce(
      (sum, [kind, count]) => sum + (kind === "token" ? 0 : (count ?? 0)),
      0,
    )
    const delivered = await database
      .prepare("SELECT count(*) AS rows FROM user_feed_items WHERE is_backfill = 0")
      .first<number>("rows")
    if (delivered !== planned.length) throw new Error(`${delivered} of ${planned.length} items were delivered`)
    return { requests, delivered }
  } finally {
    await production.close()
  }
}

export const requestsPerDeliveredItemOverLegacy: Figure = {
  name: "requests_per_delivered_item_over_legacy",
  says: "An item costs at most a quarter of the API requests that the legacy poller makes for it, at 48 runs a day.",
  unit: "times",
  limit: 0.25,
  bound: "atMost",
  measure: async (_stage, effort) => {
    const days = effort.isQuick ? 1 : 3
    const { requests, delivered } = await ofLegacy(days, effort.tell)
    const { spotifyRequests, libraryUnits, channel, delivered: perDay } = await simulate(effort)
    // The person's object, and its share of what hubs ask.
    const ours = (spotifyRequests + libraryUnits + channel.units * channelsPerPerson) / perDay
    const theirs = requests / delivered
    const round = (value: number) => Number(value.toPrecision(3))
    const how = `requests to the APIs for each item in the feed of a person with 20 shows and 20 channels of mixed habits: ${round(ours)} by pollen (simulated days, the hubs' share at 5,000 people), ${round(theirs)} by the legacy poller (${requests} for ${delivered} items, ${runsADay} runs a day over ${days} days); feeds of channels, which cost no quota, are not counted: the hub reads them 14 times a day`
    return { value: round(ours / theirs), how, samples: { pollen: [ours], legacy: [theirs] } }
  },
}

import { startSimulator } from "../../local/simulator/server/start.ts"
import { openWorkers } from "../day/simulate.ts"
import type { Figure } from "../figure.ts"

const followers = 20
const hour = 3_600_000

export const requestsPerItem20Followers: Figure = {
  name: "requests_per_item_20_followers",
  says: "A new item with 20 followers costs at most 1.5 requests for each of them, the reading of their libraries included.",
  unit: "requests for each follower",
  limit: 1.5,
  bound: "atMost",
  measure: async (_stage, { tell }) => {
    const { client: simulator, close } = await startSimulator({ seed: 4 })
    const workers = await openWorkers(simulator.url)
    try {
      const [show = "", channel = ""] = await simulator.createSources([
        { provider: "spotify", items: 5 },
        { provider: "youtube", items: 5 },
      ])
      const people = Array.from({ length: followers }, (_, index) => `follower-${index}`)
      await simulator.createPeople(people.map((id) => ({ id, sources: [show, channel] })))
      for (const [index, userId] of people.entries()) {
        tell(`follower ${index + 1} of ${followers}`)
        for (const provider of ["spotify", "youtube"] as const) {
          await workers.ask("connect", { userId, provider, tokens: await simulator.grant(userId, provider) })
        }
        await workers.ask("poll", { userId })
      }
      let until = Date.now()
      const samples: Record<string, Array<number>> = { show: [], channel: [] }
      for (const [name, source, provider] of [
        ["show", show, "spotify"],
        ["channel", channel, "youtube"],
      ] as const) {
        // A hub looks at a channel on request once in a quarter of an hour.
        until += hour / 2
        await workers.ask("runUntil", { users: [], hubs: [], until })
        await simulator.publish(source, 1)
        await simulator.clearLedger()
        for (const userId of people) await workers.ask("poll", { userId })
        const asked = (await simulator.ledger({ provider })).filter(({ kind }) => kind !== "token")
        samples[name]?.push(asked.length / followers)
      }
      const { results } = await workers.database
        .prepare("SELECT user_id FROM user_feed_items WHERE is_backfill = 0")
        .all<{ readonly user_id: string }>()
      if (results.length !== 2 * followers) throw new Error(`${results.length} items came, and not ${2 * followers}`)
      return {
        value: Math.max(...Object.values(samples).flat()),
        how: "requests of all kinds but refreshes in the simulator's ledger, while all 20 poll by hand after one item was published; the larger of a show and a channel",
        samples,
      }
    } finally {
      await workers.close()
      await close()
    }
  },
}

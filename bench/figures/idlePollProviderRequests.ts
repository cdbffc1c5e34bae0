import type { Figure } from "../figure.ts"
import { settledPerson } from "./idle.ts"

const showsPerPage = 50

export const idlePollProviderRequests: Figure = {
  name: "idle_poll_provider_requests_per_50_shows",
  says: "A poll that finds nothing new asks Spotify for one page of saved shows per 50, and for nothing else.",
  unit: "requests for each 50 shows",
  limit: 1,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const samples: Record<string, Array<number>> = {}
    for (const shows of [50, 150]) {
      const userId = `idle-${shows}-${crypto.randomUUID()}`
      await settledPerson(stage, { userId, shows, channels: 0 })
      const polls = isQuick ? 10 : 50
      const requests: Array<number> = []
      for (let poll = 1; poll <= polls; poll += 1) {
        tell(`${shows} shows, poll ${poll} of ${polls}`)
        await stage.simulator.clearLedger(userId)
        await stage.ask("poll", { side: "pollen", userIds: [userId], atOnce: 1 })
        const { total } = await stage.simulator.counts({ person: userId, provider: "spotify" })
        if (total === 0) throw new Error("nothing was asked: that was no poll")
        requests.push(total)
      }
      samples[`requestsOf${shows}Shows`] = requests
    }
    const perPage = Object.entries(samples).flatMap(([name, requests]) => {
      const shows = Number(/\d+/.exec(name)?.[0])
      return requests.map((count) => count / (shows / showsPerPage))
    })
    const how =
      "requests of each kind in the simulator's ledger, the most of all polls of people with 50 and with 150 shows"
    return { value: Math.max(...perPage), how, samples }
  },
}

import type { Figure } from "../figure.ts"
import { settledPerson } from "./idle.ts"

export const idlePollD1Queries: Figure = {
  name: "idle_poll_d1_queries",
  says: "A poll that finds nothing new asks D1 for nothing.",
  unit: "queries a poll",
  limit: 0,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const userId = `idle-${crypto.randomUUID()}`
    await settledPerson(stage, { userId, shows: 50, channels: 50 })
    const polls = isQuick ? 10 : 50
    const samples: Array<number> = []
    for (let poll = 1; poll <= polls; poll += 1) {
      tell(`poll ${poll} of ${polls}`)
      const before = await stage.ask("counts", { userId })
      await stage.ask("poll", { side: "pollen", userIds: [userId], atOnce: 1 })
      const after = await stage.ask("counts", { userId })
      samples.push(after.queries - before.queries)
    }
    const how = `the most of ${polls} polls of a person with 50 shows and 50 channels, counted at the object's D1 binding`
    return { value: Math.max(...samples), how, samples: { queries: samples } }
  },
}

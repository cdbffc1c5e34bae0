import type { Figure } from "../figure.ts"
import { settledPerson } from "./idle.ts"

/** Items of one delivery. One alone has to carry the whole status report. */
const sizes = [1, 2, 5, 20, 50]

export const rowsWrittenPerItem: Figure = {
  name: "rows_written_per_delivered_item",
  says: "A delivery of items writes at most so many rows to D1 for each item, indexes included; a heartbeat goes along once in three hours.",
  unit: "rows",
  limit: 3,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const userId = `reader-${crypto.randomUUID()}`
    const followed = await settledPerson(stage, { userId, shows: 5, channels: 5 })
    const samples: Record<string, Array<number>> = {}
    for (const size of sizes) {
      tell(`deliveries of ${size}`)
      samples[`rowsFor${size}`] = []
      for (let round = 0; round < (isQuick ? 5 : 10); round += 1) {
        const publications = Array.from({ length: size }, (_, index) => ({
          source: followed[(round + index) % followed.length] ?? "",
          count: 1,
        }))
        await stage.simulator.publishMany(publications)
        const before = await stage.ask("counts", { userId })
        const { delivered } = await stage.ask("poll", { side: "pollen", userIds: [userId], atOnce: 1 })
        const after = await stage.ask("counts", { userId })
        if (after.unmetered !== before.unmetered)
          throw new Error("D1 was asked in a way that does not tell rows written")
        if (delivered !== size) throw new Error(`${delivered} of ${size} items were delivered`)
        samples[`rowsFor${size}`]?.push(after.rowsWritten - before.rowsWritten)
      }
    }
    const perItem = sizes.map((size) => Math.max(...(samples[`rowsFor${size}`] ?? [])) / size)
    const each = sizes.map((size, index) => `${perItem[index]} for each of ${size}`).join(", ")
    const how = `meta.rows_written of every statement of a delivery, summed at the object's D1 binding; one person, nobody else following; the most of deliveries of several sizes: ${each}`
    return { value: Math.max(...perItem), how, samples }
  },
}

import type { D1Database } from "@cloudflare/workers-types"
import { startSimulator } from "../../local/simulator/server/start.ts"
import type { ArrivedPosition } from "../../src/gateway/FeedCursor.ts"
import type { FeedQuery } from "../../src/gateway/FeedQuery.ts"
import { openWorkers } from "../day/simulate.ts"
import type { Figure } from "../figure.ts"

const rows = 100_000
const page = 50

/** A feed of so many items, in statements that D1 takes. */
const fill = async (database: D1Database, tell: (text: string) => void) => {
  for (let from = 0; from < rows; from += 20_000) {
    tell(`${from} of ${rows} rows`)
    const numbers = `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + 19_999})`
    await database.batch([
      database.prepare(`INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, published_at, precision)
        ${numbers} SELECT 'youtube', 'video-' || i, 'channel-' || (i % 40), 'video', 'A video', '', '', i, 'instant' FROM n`),
      database.prepare(`INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at, arrival)
        ${numbers} SELECT 'ada', i, 'youtube', 'video-' || i, 0, i, i FROM n`),
    ])
  }
}

export const feedPageRowsRead: Figure = {
  name: "feed_page_rows_read",
  says: "A page of 50 items of a feed of 100,000 reads fewer than 200 rows, wherever it lies.",
  unit: "rows",
  limit: 200,
  bound: "atMost",
  measure: async (_stage, { tell }) => {
    const { client: simulator, close } = await startSimulator({ seed: 4 })
    const workers = await openWorkers(simulator.url)
    try {
      await fill(workers.database, tell)
      const samples: Record<string, Array<number>> = {}
      const place: ArrivedPosition = [50_000, 50_000, "youtube", "video-50000", 0]
      const queries: Readonly<Record<string, Omit<FeedQuery, "limit">>> = {
        first: { order: "arrived" },
        deep: { order: "arrived", cursor: place },
        since: { order: "arrived", since: place },
        firstByDate: { order: "published" },
        deepByDate: { order: "published", cursor: [50_000, "youtube", "video-50000"] },
      }
      for (const [name, query] of Object.entries(queries)) {
        const read = await workers.ask("feedPage", { userId: "ada", query, rows: page + 1 })
        if (read.rows !== page + 1) throw new Error(`${read.rows} rows came`)
        samples[name] = [read.rowsRead]
      }
      const how =
        "meta.rows_read of the gateway's statement, as D1 counts, for the first page and for one in the middle, in both orders, and for what arrived since"
      return { value: Math.max(...Object.values(samples).flat()), how, samples }
    } finally {
      await workers.close()
      await close()
    }
  },
}

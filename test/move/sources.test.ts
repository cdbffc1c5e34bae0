import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { readSources } from "../../src/move/sources.ts"

it.each([
  ["as it is", 7, { polledAt: 1000, itemCount: 7 }],
  ["as it is, though its count tells nothing", -1, { polledAt: 1000, itemCount: -1 }],
  ["as never polled while nothing of it has been listed", -9, { polledAt: null, itemCount: null }],
])("A source is handed over %s", async (_how, itemCount, handed) => {
  const userId = crypto.randomUUID()
  await env.DB.prepare(
    `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at, polled_at, item_count)
     VALUES (?1, 'spotify', 'show', 1, 1000, ?2)`,
  )
    .bind(userId, itemCount)
    .run()
  const sources = await Effect.runPromise(readSources(env.DB, [userId]))
  expect(sources.get(userId)).toMatchObject([{ sourceId: "show", ...handed }])
})

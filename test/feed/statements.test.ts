import { env } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import type { Item } from "../../src/domain/item.ts"
import { detailColumns, joinDetails } from "../../src/feed/details.ts"
import { followRow, itemRow, sourceRow, unfollowRow } from "../../src/feed/rows.ts"
import { feedStatements, insertItems, upsertSources } from "../../src/feed/statements.ts"
import { widePlans } from "../move/plans.ts"

const statements = feedStatements({ userId: "?2", rows: "json_each(?1)" })

const write = (sql: string, row: object, ...rest: ReadonlyArray<string>) =>
  env.DB.prepare(sql)
    .bind(JSON.stringify([row]), ...rest)
    .run()

const newId = () => crypto.randomUUID()

const item = (itemId: string, publishedAt: number): Item => ({
  provider: "youtube",
  itemId,
  sourceId: "channel",
  kind: "video",
  title: "A video",
  description: "",
  url: "https://example.test",
  imageUrl: null,
  publishedAt,
  precision: "instant",
  durationMs: null,
  isLive: false,
})

const deliver = async (userId: string, delivered: Item, isBackfill = false) => {
  const row = itemRow(delivered, { isBackfill, at: 5 })
  const { meta: stored } = await write(insertItems, row)
  const { meta: fed } = await write(statements.insertFeed, row, userId)
  return [stored.rows_written, fed.rows_written]
}

const details = (title: string) => ({ title, url: "https://example.test", imageUrl: null })

const titleOf = (sourceId: string) =>
  env.DB.prepare("SELECT title FROM subscriptions WHERE external_id = ?1").bind(sourceId).first("title")

const cursorOf = (userId: string) =>
  env.DB.prepare(
    "SELECT external_id AS id, polled_at AS polledAt, item_count AS itemCount FROM user_subscriptions WHERE user_id = ?1",
  )
    .bind(userId)
    .first()

describe("The statements that write to D1", () => {
  it("write an item as one row and its place in a feed as two, by date and by arrival, and nothing when they are run again", async () => {
    const [userId, itemId] = [newId(), newId()]
    expect(await deliver(userId, item(itemId, 1000))).toEqual([1, 2])
    expect(await deliver(userId, item(itemId, 1000))).toEqual([0, 0])
  })

  it("keep the publication time of an item's first delivery, in whoever's feed", async () => {
    const [first, second, itemId] = [newId(), newId(), newId()]
    await deliver(first, item(itemId, 1000))
    await deliver(second, item(itemId, 2000))
    await deliver(first, item(itemId, 2000))
    const { results } = await env.DB.prepare(
      "SELECT user_id, published_at FROM user_feed_items WHERE external_id = ?1 ORDER BY user_id",
    )
      .bind(itemId)
      .all()
    expect(results).toEqual([first, second].sort().map((user_id) => ({ user_id, published_at: 1000 })))
  })

  it("keep the newest details of a source, in whichever order they arrive", async () => {
    const sourceId = newId()
    await write(upsertSources, sourceRow("youtube", sourceId, details("Old"), 10))
    await write(upsertSources, sourceRow("youtube", sourceId, details("New"), 20))
    await write(upsertSources, sourceRow("youtube", sourceId, details("Old"), 10))
    expect(await titleOf(sourceId)).toBe("New")
  })

  it("take no cursor away from a follow that comes without one", async () => {
    const [userId, sourceId] = [newId(), newId()]
    const follow = followRow("youtube", sourceId, 10)
    await write(statements.upsertFollows, { ...follow, polledAt: 20, itemCount: 3 }, userId)
    await write(statements.upsertFollows, follow, userId)
    expect(await cursorOf(userId)).toEqual({ id: sourceId, polledAt: 20, itemCount: 3 })
  })

  it("take away the follow that is named, of nobody else", async () => {
    const [userId, other, sourceId] = [newId(), newId(), newId()]
    for (const follower of [userId, other])
      await write(statements.upsertFollows, followRow("youtube", sourceId, 10), follower)
    await write(statements.deleteFollows, unfollowRow("spotify", sourceId), userId)
    expect(await cursorOf(userId)).toMatchObject({ id: sourceId })
    await write(statements.deleteFollows, unfollowRow("youtube", sourceId), userId)
    expect(await cursorOf(userId)).toBeNull()
    expect(await cursorOf(other)).toMatchObject({ id: sourceId })
  })

  it("read no more rows the more people there are", async () => {
    expect(await widePlans([insertItems, upsertSources, ...Object.values(statements)])).toEqual([])
  })
})

describe("The details of a source that somebody follows", () => {
  it("are its id until somebody has described it", async () => {
    const [userId, sourceId] = [newId(), newId()]
    await write(statements.upsertFollows, followRow("youtube", sourceId, 10), userId)
    const read = () =>
      env.DB.prepare(`SELECT ${detailColumns} FROM user_subscriptions follow ${joinDetails} WHERE follow.user_id = ?1`)
        .bind(userId)
        .first()
    expect(await read()).toEqual({ title: sourceId, url: "", imageUrl: null })
    await write(upsertSources, sourceRow("youtube", sourceId, details("A channel"), 10))
    expect(await read()).toEqual(details("A channel"))
  })
})

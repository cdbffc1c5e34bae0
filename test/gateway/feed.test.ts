import { env } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import type { FeedItem } from "../../src/gateway/api/feed.ts"
import { Visitor } from "./visitor.ts"

interface Page {
  readonly items: ReadonlyArray<FeedItem>
  readonly next: string | null
}

/** Delivers an item to somebody, as an object does. */
const deliver = (userId: string, externalId: string, publishedAt: number, provider = "spotify") =>
  env.DB.batch([
    env.DB.prepare(
      `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url, published_at,
         precision, duration_ms, is_live) VALUES (?1, ?2, 'source', 'episode', 'Title', '', 'https://x.test', NULL, ?3, 'day', 1000, 0)
       ON CONFLICT DO NOTHING`,
    ).bind(provider, externalId, publishedAt),
    env.DB.prepare(
      `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
       VALUES (?1, ?2, ?3, ?4, 0, 5)`,
    ).bind(userId, publishedAt, provider, externalId),
  ])

const page = async (visitor: Visitor, limit: number, cursor: string | null) => {
  const query = cursor === null ? "" : `&cursor=${cursor}`
  const { status, body } = await visitor.get(`/v1/feed?order=published&limit=${limit}${query}`)
  expect(status).toBe(200)
  return body as Page
}

const idsOf = ({ items }: Page) => items.map(({ externalId }) => externalId)

describe("the feed by publication date", () => {
  it("is read page by page without a gap or a repeat, while items arrive before and behind the reader", async () => {
    const visitor = new Visitor()
    const own = (name: string) => `${visitor.id}-${name}`
    // Many share a publication time, so that the order within it matters.
    const old = Array.from({ length: 23 }, (_, index) => own(`old-${String(index).padStart(2, "0")}`))
    for (const [index, id] of old.entries()) {
      await deliver(visitor.id, id, 1000 + Math.floor(index / 5), index % 2 === 0 ? "spotify" : "youtube")
    }
    const read: Array<string> = []
    let cursor: string | null = null
    let arrived = 0
    do {
      const current: Page = await page(visitor, 4, cursor)
      read.push(...idsOf(current))
      cursor = current.next
      await deliver(visitor.id, own(`new-${arrived++}`), 9_999)
    } while (cursor !== null)
    expect(new Set(read).size).toBe(read.length)
    expect(new Set(read)).toEqual(new Set(old))
    expect(idsOf(await page(visitor, 200, null))).toHaveLength(old.length + arrived)
  })

  it("is newest first, and says of each item when, from where and whether it is backfill", async () => {
    const visitor = new Visitor()
    const source = `source-${visitor.id}`
    await deliver(visitor.id, `${visitor.id}-1`, 1000)
    await deliver(visitor.id, `${visitor.id}-2`, Date.UTC(2026, 0, 2))
    await env.DB.batch([
      env.DB.prepare("UPDATE feed_items SET source_id = ?1 WHERE external_id = ?2").bind(source, `${visitor.id}-2`),
      env.DB.prepare(
        "INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at) VALUES ('spotify', ?1, 'The Show', '', NULL, 0)",
      ).bind(source),
    ])
    const { items, next } = await page(visitor, 50, null)
    expect(next).toBeNull()
    expect(items).toMatchObject([
      {
        externalId: `${visitor.id}-2`,
        source: { id: source, title: "The Show" },
        publishedAt: "2026-01-02T00:00:00.000Z",
        publishedAtMs: Date.UTC(2026, 0, 2),
        deliveredAtMs: 5,
        isBackfill: false,
        isLive: false,
      },
      { externalId: `${visitor.id}-1`, source: { id: "source", title: null } },
    ])
  })

  it("has 50 items on a page if nobody says", async () => {
    const visitor = new Visitor()
    for (let index = 0; index < 51; index++) await deliver(visitor.id, `${visitor.id}-${index}`, index)
    const { body } = await visitor.get("/v1/feed")
    expect((body as Page).items).toHaveLength(50)
    expect((body as Page).next).not.toBeNull()
  })

  it("ends exactly where the last page is full", async () => {
    const visitor = new Visitor()
    for (let index = 0; index < 4; index++) await deliver(visitor.id, `${visitor.id}-${index}`, index)
    expect((await page(visitor, 4, null)).next).toBeNull()
  })

  it("shows nobody what belongs to somebody else, not even by their cursor", async () => {
    const [ada, bob] = [new Visitor(), new Visitor()]
    for (let index = 0; index < 3; index++) await deliver(ada.id, `${ada.id}-${index}`, index)
    await deliver(bob.id, `${bob.id}-0`, 1)
    const { next } = await page(ada, 1, null)
    expect(idsOf(await page(bob, 50, next))).toEqual([`${bob.id}-0`])
  })
})

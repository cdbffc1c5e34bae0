import { env } from "cloudflare:workers"
import { expect, it, vi } from "vitest"
import type { FeedItem } from "../../src/gateway/api/feed.ts"
import { Visitor } from "./visitor.ts"

interface Page {
  readonly items: ReadonlyArray<FeedItem>
  readonly next: string | null
}

/** Delivers an item as a version of pollen might have that bounded nothing. */
const deliver = async (
  userId: string,
  name: string,
  publishedAt: number,
  columns: Readonly<Record<string, unknown>>,
) => {
  const id = `${userId}-${name}`
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url, published_at,
         precision, duration_ms, is_live) VALUES ('spotify', ?1, ?1, 'episode', 'Title', '', 'https://x.test', NULL, ?2, 'day', 1000, 0)`,
    ).bind(id, publishedAt),
    env.DB.prepare(
      "INSERT INTO subscriptions (provider, external_id, title, url, updated_at) VALUES ('spotify', ?1, 'The Show', '', 0)",
    ).bind(id),
    env.DB.prepare(
      `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
       VALUES (?1, ?2, 'spotify', ?3, 0, 5)`,
    ).bind(userId, publishedAt, id),
    ...Object.entries(columns).map(([column, value]) =>
      env.DB.prepare(`UPDATE feed_items SET ${column} = ?2 WHERE external_id = ?1`).bind(id, value),
    ),
  ])
  return id
}

const read = async (visitor: Visitor, query = "") => {
  const { status, body } = await visitor.get(`/v1/feed${query}`)
  expect(status).toBe(200)
  return body as Page
}

it.each([
  ["a duration of 1e17", { duration_ms: 1e17 }, { durationMs: null }],
  ["a duration below 0", { duration_ms: -5 }, { durationMs: null }],
  ["half a millisecond", { duration_ms: 1.5 }, { durationMs: 2 }],
  ["an address that is a script", { url: "javascript:alert(1)" }, { url: "" }],
  ["a picture that is a script", { image_url: "javascript:alert(1)" }, { imageUrl: null }],
  ["a title without end", { title: "x".repeat(100_000) }, { title: "x".repeat(500) }],
])("A row with %s is shown without it, and costs nobody the page", async (_what, columns, shown) => {
  const visitor = new Visitor()
  const odd = await deliver(visitor.id, "odd", 2000, columns)
  const plain = await deliver(visitor.id, "plain", 1000, {})
  const { items } = await read(visitor)
  expect(items).toMatchObject([
    { ...shown, externalId: odd },
    { externalId: plain, durationMs: 1000 },
  ])
})

it("The picture of a source is an address of the web", async () => {
  const visitor = new Visitor()
  const id = await deliver(visitor.id, "one", 1000, {})
  await env.DB.prepare("UPDATE subscriptions SET image_url = 'javascript:alert(1)' WHERE external_id = ?1")
    .bind(id)
    .run()
  expect((await read(visitor)).items).toMatchObject([{ source: { title: "The Show", imageUrl: null } }])
})

it("Rows that make no sense are left out and said, and the pages go on below them", async () => {
  const visitor = new Visitor()
  using warn = vi.spyOn(console, "warn").mockImplementation(() => {})
  using log = vi.spyOn(console, "log").mockImplementation(() => {})
  const first = await deliver(visitor.id, "first", 4000, {})
  await deliver(visitor.id, "kind", 3000, { kind: "song" })
  await deliver(visitor.id, "precision", 2000, { precision: "decade" })
  const last = await deliver(visitor.id, "last", 1000, {})
  const seen: Array<string> = []
  for (let cursor: string | null = "", pages = 0; cursor !== null && pages < 10; pages += 1) {
    const { items, next }: Page = await read(visitor, cursor === "" ? "?limit=1" : `?limit=1&cursor=${cursor}`)
    seen.push(...items.map(({ externalId }) => externalId))
    cursor = next
  }
  expect(seen).toEqual([first, last])
  const said = [...warn.mock.calls, ...log.mock.calls].flat().join("\n")
  expect(said).toContain("left out of a feed")
})

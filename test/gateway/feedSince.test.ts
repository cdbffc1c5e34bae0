import { env } from "cloudflare:workers"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Provider } from "../../src/domain/provider.ts"
import { feedStatements, insertItems } from "../../src/feed/statements.ts"
import type { FeedItem } from "../../src/gateway/api/feed.ts"
import { insertFeeds } from "../../src/hub/statements.ts"
import { Visitor } from "./visitor.ts"

interface Page {
  readonly items: ReadonlyArray<FeedItem>
  readonly next: string | null
  readonly since: string | null
}

const { insertFeed } = feedStatements({ userId: "?2", rows: "json_each(?1)" })

interface Delivered {
  readonly id: string
  readonly provider?: Provider
  readonly source?: string
  readonly publishedAt?: number
  /** Epoch milliseconds, by the clock of whoever delivers. */
  readonly at?: number
  readonly isBackfill?: boolean
}

const row = ({
  id,
  provider = "youtube",
  source = "source",
  publishedAt = 1000,
  at = 5,
  isBackfill = false,
}: Delivered) => ({
  ...{
    provider,
    externalId: id,
    sourceId: source,
    kind: provider === "youtube" ? "video" : "episode",
    title: id,
    description: "",
  },
  ...{ url: "https://x.test", imageUrl: null, publishedAt, precision: "instant", durationMs: null, isLive: false },
  ...{ isBackfill, at },
})

/** Delivers in one batch, as an object does. */
const deliver = (userId: string, ...items: ReadonlyArray<Delivered>) => {
  const json = JSON.stringify(items.map(row))
  return env.DB.batch([env.DB.prepare(insertItems).bind(json), env.DB.prepare(insertFeed).bind(json, userId)])
}

/** Has somebody follow a source, and its object hold the account. */
const follow = (userId: string, source: string) =>
  env.DB.batch([
    env.DB.prepare(
      "INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder, epoch) VALUES (?1, 'youtube', 1, 'connected', 0, 'object', 1)",
    ).bind(userId),
    env.DB.prepare(
      "INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at) VALUES (?1, 'youtube', ?2, 0)",
    ).bind(userId, source),
  ])

/** Delivers to all who follow, as a hub does. */
const deliverByHub = (...items: ReadonlyArray<Delivered>) => {
  const json = JSON.stringify(items.map(row))
  return env.DB.batch([insertItems, insertFeeds].map((sql) => env.DB.prepare(sql).bind(json)))
}

const get = async (visitor: Visitor, query: Readonly<Record<string, string | number>> = {}) => {
  const parameters = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const { status, body } = await visitor.get(`/v1/feed?${parameters}`)
  expect([status, body]).toEqual([200, expect.anything()])
  return body as Page
}

const idsOf = ({ items }: Page) => items.map(({ externalId }) => externalId)

/** Everything after a position, page by page, and where to go on. */
const readOn = async (visitor: Visitor, since: string, query: Readonly<Record<string, string | number>> = {}) => {
  const read: Array<string> = []
  let position = since
  for (;;) {
    const page = await get(visitor, { ...query, since: position })
    read.push(...idsOf(page))
    position = page.since ?? position
    if (page.next === null) return { read, since: position }
  }
}

describe("since", () => {
  it("brings an episode of an earlier day that arrives now, though it stands below what was read", async () => {
    const visitor = new Visitor()
    const own = (name: string) => `${visitor.id}-${name}`
    await deliver(visitor.id, { id: own("video"), publishedAt: 9000 })
    const { since, items } = await get(visitor)
    expect(items).toHaveLength(1)
    await deliver(visitor.id, { id: own("episode"), provider: "spotify", publishedAt: 1 })
    const later = await get(visitor, { since: since ?? "" })
    expect(idsOf(later)).toEqual([own("episode")])
    expect(later.next).toBeNull()
    expect(idsOf(await get(visitor, { since: later.since ?? "" }))).toEqual([])
    expect(idsOf(await get(visitor))).toEqual([own("episode"), own("video")])
    expect(idsOf(await get(visitor, { order: "published" }))).toEqual([own("video"), own("episode")])
  })

  it("of an empty feed brings all that ever arrives", async () => {
    const visitor = new Visitor()
    const { since } = await get(visitor)
    await deliver(visitor.id, { id: `${visitor.id}-1` }, { id: `${visitor.id}-2` })
    expect((await readOn(visitor, since ?? "")).read).toEqual([`${visitor.id}-1`, `${visitor.id}-2`])
  })

  it("brings what an earlier version delivered before all else, by date", async () => {
    const visitor = new Visitor()
    const { since } = await get(visitor)
    await deliver(visitor.id, { id: `${visitor.id}-b`, publishedAt: 20 }, { id: `${visitor.id}-a`, publishedAt: 10 })
    await env.DB.prepare("UPDATE user_feed_items SET arrival = 0 WHERE user_id = ?1").bind(visitor.id).run()
    await deliver(visitor.id, { id: `${visitor.id}-c`, publishedAt: 1 })
    expect((await readOn(visitor, since ?? "", { limit: 1 })).read).toEqual(
      ["a", "b", "c"].map((name) => `${visitor.id}-${name}`),
    )
  })

  it("until brings what arrived in between, and nothing later", async () => {
    const visitor = new Visitor()
    const first = (await get(visitor)).since ?? ""
    await deliver(visitor.id, { id: `${visitor.id}-1` })
    const second = (await get(visitor)).since ?? ""
    await deliver(visitor.id, { id: `${visitor.id}-2` })
    expect(idsOf(await get(visitor, { since: first, until: second }))).toEqual([`${visitor.id}-1`])
    expect(idsOf(await get(visitor, { until: second }))).toEqual([`${visitor.id}-1`])
  })

  it("gives each item exactly once, whatever is delivered by objects and hubs between pages, whatever their clocks say", async () => {
    const step = fc.oneof(
      fc.record({
        by: fc.constantFrom("object", "hub"),
        count: fc.integer({ min: 1, max: 4 }),
        at: fc.nat(1000),
        published: fc.nat(50),
      }),
      fc.record({ limit: fc.integer({ min: 1, max: 3 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
        const [visitor, other] = [new Visitor(), new Visitor()]
        const source = `channel-${visitor.id}`
        await follow(visitor.id, source)
        await follow(other.id, source)
        const [delivered, read]: [Array<string>, Array<string>] = [[], []]
        let since = (await get(visitor)).since ?? ""
        for (const one of steps) {
          if ("limit" in one) {
            const page = await get(visitor, { since, limit: one.limit })
            read.push(...idsOf(page))
            since = page.since ?? since
          } else {
            const items = Array.from({ length: one.count }, (_, index) => ({
              ...{ id: `${visitor.id}-${delivered.length + index}`, source },
              ...{ publishedAt: one.published + index, at: one.at + index },
            }))
            delivered.push(...items.map(({ id }) => id))
            await (one.by === "hub" ? deliverByHub(...items) : deliver(visitor.id, ...items))
          }
        }
        read.push(...(await readOn(visitor, since, { limit: 2 })).read)
        expect(read.toSorted()).toEqual(delivered.toSorted())
      }),
      { numRuns: 25 },
    )
  })
})

describe("a part of the feed", () => {
  it("is of one provider, source or kind, or without backfill, and is read whole over many pages", async () => {
    const visitor = new Visitor()
    const items = Array.from({ length: 450 }, (_, index) => ({
      ...{ id: `${visitor.id}-${String(index).padStart(3, "0")}`, source: `source-${index % 100}`, publishedAt: index },
      ...{ provider: index % 2 === 0 ? ("spotify" as const) : ("youtube" as const), isBackfill: index < 200 },
    }))
    const { since } = await get(visitor)
    await deliver(visitor.id, ...items)
    const wanted = (keep: (item: (typeof items)[number]) => boolean) => items.filter(keep).map(({ id }) => id)
    const all = async (query: Readonly<Record<string, string | number>>) =>
      (await readOn(visitor, since ?? "", { ...query, limit: 7 })).read.toSorted()
    expect(await all({ source: "source-3" })).toEqual(wanted(({ source }) => source === "source-3"))
    expect(await all({ provider: "spotify", backfill: "false" })).toEqual(
      wanted(({ provider, isBackfill }) => provider === "spotify" && !isBackfill),
    )
    expect(await all({ kind: "video", backfill: "true" })).toEqual(
      wanted(({ provider, isBackfill }) => provider === "youtube" && isBackfill),
    )
    const back: Array<string> = []
    let cursor: string | null = null
    do {
      const page: Page = await get(visitor, { source: "source-3", limit: 2, ...(cursor === null ? {} : { cursor }) })
      back.push(...idsOf(page))
      cursor = page.next
    } while (cursor !== null)
    expect(back).toEqual(wanted(({ source }) => source === "source-3").toReversed())
  })
})

describe("a cursor that means nothing is refused, with what is wrong:", () => {
  const refused = async (visitor: Visitor, query: string) => {
    const { status, body } = await visitor.get(`/v1/feed?${query}`)
    return [status, (body as { readonly issues: ReadonlyArray<unknown> }).issues]
  }

  it("somebody else's", async () => {
    const [ada, bob] = [new Visitor(), new Visitor()]
    await deliver(ada.id, { id: `${ada.id}-1` }, { id: `${ada.id}-2` })
    const { since, next } = await get(ada, { limit: 1 })
    for (const [name, value] of Object.entries({ since, until: since, cursor: next })) {
      const issue = { path: name, message: "is a cursor of somebody else's feed" }
      expect(await refused(bob, `${name}=${value}`)).toEqual([400, [issue]])
    }
  })

  it.each(["since=nonsense", "until=WzEsMl0", "cursor=WzEsMl0"])("%s", async (query) => {
    const [status] = await refused(new Visitor(), query)
    expect(status).toBe(400)
  })

  it("one of another order, or two that lead apart", async () => {
    const visitor = new Visitor()
    await deliver(visitor.id, { id: `${visitor.id}-1` }, { id: `${visitor.id}-2` })
    const { next, since } = await get(visitor, { limit: 1 })
    const published = (await get(visitor, { limit: 1, order: "published" })).next
    expect((await refused(visitor, `order=published&cursor=${next}`))[0]).toBe(400)
    expect((await refused(visitor, `order=arrived&cursor=${published}`))[0]).toBe(400)
    expect((await refused(visitor, `order=published&since=${since}`))[0]).toBe(400)
    expect((await refused(visitor, `cursor=${next}&since=${since}`))[0]).toBe(400)
    // A cursor of before there was an order of arrival leads on in its own.
    expect(idsOf(await get(visitor, { cursor: published ?? "" }))).toHaveLength(1)
  })
})

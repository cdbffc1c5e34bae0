import { Effect, Redacted } from "effect"
import { beforeEach, expect, it } from "vitest"
import type { ListedItem } from "../../src/domain/item.ts"
import { makeListings } from "../../src/legacy/Listings.ts"
import { watched } from "../move/watched.ts"
import { clear, ledgerEnd, ledgerOf, run, settle, simulator } from "./people.ts"

beforeEach(clear)

it("A first run after an import never holds what more than 200 sources brought before it is written", async () => {
  const people = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const channels = Array.from({ length: 100 }, () => ({ provider: "youtube", items: 2 }) as const)
      return (await settle(1, await simulator.createSources(channels), { provider: "youtube" }))[0] ?? ""
    }),
  )
  const since = await ledgerEnd()
  const asked: Array<number> = []
  const { database } = watched()
  const noted = new Proxy(database, {
    get: (target, key) => {
      if (key !== "batch") return Reflect.get(target, key)
      return async (statements: Array<D1PreparedStatement>) => {
        asked.push((await ledgerOf(people, since)).filter(({ kind }) => kind === "items").length)
        return target.batch(statements)
      }
    },
  })
  expect(await run({ database: noted })).toMatchObject({ polled: 50, items: 10_000, isComplete: true })
  expect(asked.at(-1)).toBe(5000)
  expect(Math.max(...asked.map((count, index) => count - (asked[index - 1] ?? 0)))).toBeLessThanOrEqual(200)
})

const account = { userId: "ada", provider: "youtube" } as const
const sourceOf = (sourceId: string) => ({ sourceId, title: sourceId, url: "", imageUrl: null, itemCount: 50 })

const itemOf = (sourceId: string, number: number, description: string): ListedItem => ({
  provider: "youtube",
  itemId: `${sourceId}-${number}`,
  sourceId,
  kind: "video",
  title: "",
  description,
  url: "",
  imageUrl: null,
  publishedAt: 0,
  precision: "instant",
  durationMs: null,
  isLive: false,
  availability: "available",
  startsAt: null,
})

/** How many of 1,000 listings, of 50 items with descriptions of so many characters, are there still when all have been read. */
const keptWith = async (characters: number) => {
  let asked = 0
  const client: Parameters<typeof makeListings>[0] = {
    provider: "youtube",
    isTotalExact: false,
    items: (_token, sourceId) =>
      Effect.sync(() => {
        asked += 1
        const entries = Array.from({ length: 50 }, (_, number) => itemOf(sourceId, number, "x".repeat(characters)))
        return { isModified: true, entries, size: 50, unreadable: 0, total: 50, next: null, etag: null } as const
      }),
  }
  const read = makeListings(client, (_account, use) => Effect.orDie(use(Redacted.make("token"))))
  const ids = Array.from({ length: 1000 }, (_, index) => `source-${index}`)
  const readAll = Effect.forEach(ids, (id) => read(account, sourceOf(id), { pages: 1, isOwn: false }), {
    discard: true,
  })
  await Effect.runPromise(readAll)
  // The newest first, up to the first that has to be asked for again.
  let kept = 0
  for (const id of ids.toReversed()) {
    const before = asked
    await Effect.runPromise(read(account, sourceOf(id), { pages: 1, isOwn: false }))
    if (asked > before) return kept
    kept += 1
  }
  return kept
}

it("A run keeps 400 listings at most, and fewer where they say much: 20 MB of a worker's 128 for each provider", async () => {
  expect(await keptWith(100)).toBe(400)
  const kept = await keptWith(5000)
  expect(kept).toBeGreaterThan(0)
  expect(kept * 50 * 5000 * 2).toBeLessThanOrEqual(20_000_000)
})

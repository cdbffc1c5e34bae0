import fc from "fast-check"
import { expect, it } from "vitest"
import { isNextPageNeeded, isSoughtBelow, newItems } from "../../src/domain/novelty.ts"

interface Entry {
  readonly itemId: string
  readonly publishedAt: number
}

const pageSize = 5
const backfill = 2

/** What a source does between two looks. A backdated item carries an old date, and is listed first all the same. */
type Change =
  | { readonly type: "publish" | "backdate"; readonly count: number }
  | { readonly type: "remove"; readonly at: number }
  | { readonly type: "look" }

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("backdate" as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("remove" as const), at: fc.nat(8) }) },
  { weight: 3, arbitrary: fc.constant<Change>({ type: "look" }) },
)

/** Reads pages until the rule says that it is enough. */
const read = (
  listing: ReadonlyArray<Entry>,
  known: ReadonlySet<string>,
  archiveBefore: number | null,
  expected: number,
) => {
  const pages: Array<ReadonlyArray<Entry>> = []
  do pages.push(listing.slice(pages.length * pageSize, (pages.length + 1) * pageSize))
  while (pages.length * pageSize < listing.length && isNextPageNeeded(pages, known, archiveBefore, expected))
  return { fresh: newItems(pages.flat(), known, archiveBefore), pages: pages.length }
}

it("finds everything new once and nothing of the archive, whatever is published, backdated and removed", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.array(change, { maxLength: 60 }), (archived, changes) => {
      let clock = 1000
      const listing: Array<Entry> = Array.from({ length: archived }, (_, index) => ({
        itemId: `old-${index}`,
        publishedAt: 900 - index,
      }))
      const first = listing.slice(0, pageSize)
      const known = new Set(first.map(({ itemId }) => itemId))
      const archiveBefore = listing.length > pageSize ? (first.at(-1)?.publishedAt ?? null) : null
      const delivered = first.slice(0, backfill).map(({ itemId }) => itemId)
      let unseen = new Set<string>()
      let hasKnownItem = known.size > 0
      let count = listing.length
      const look = () => {
        // What the library announces: removals hide as many publications.
        const expected = Math.max(0, listing.length - count)
        count = listing.length
        for (const { itemId } of read(listing, known, archiveBefore, expected).fresh) {
          known.add(itemId)
          delivered.push(itemId)
          unseen.delete(itemId)
        }
        // Ids decide as long as one known item is listed: then not even a wrong date hides anything.
        if (hasKnownItem) expect(unseen).toEqual(new Set())
        unseen = new Set()
        hasKnownItem = listing.some(({ itemId }) => known.has(itemId))
      }
      for (const one of changes) {
        if (one.type === "look") look()
        if (one.type === "publish" || one.type === "backdate") {
          for (let published = 0; published < one.count; published += 1) {
            clock += 1
            const entry = { itemId: `new-${clock}`, publishedAt: one.type === "publish" ? clock : 1 }
            listing.unshift(entry)
            unseen.add(entry.itemId)
          }
        }
        if (one.type === "remove") {
          const [removed] = listing.splice(one.at, 1)
          if (removed !== undefined) unseen.delete(removed.itemId)
          hasKnownItem = listing.some(({ itemId }) => known.has(itemId))
        }
      }
      look()
      expect(new Set(delivered).size).toBe(delivered.length)
      const fromArchive = delivered.filter((id) => id.startsWith("old-"))
      expect(fromArchive.length).toBeLessThanOrEqual(backfill)
    }),
    { numRuns: 500 },
  )
})

it("reads one page when the first ends among what is known, whatever the count announced", () => {
  const listing = Array.from({ length: 100 }, (_, index) => ({
    itemId: `item-${index}`,
    publishedAt: 1000 - index,
  }))
  const known = new Set(listing.slice(3, 8).map(({ itemId }) => itemId))
  expect(read(listing, known, 990, 3)).toMatchObject({ pages: 1 })
  expect(read(listing, known, 990, 30)).toMatchObject({ pages: 1 })
})

it("reads on below a known item that stays on top, as long as pages end in something new", () => {
  const premiere = { itemId: "premiere", publishedAt: 2000 }
  const listing = [premiere, ...Array.from({ length: 40 }, (_, at) => ({ itemId: `${at}`, publishedAt: 1000 - at }))]
  const known = new Set(["premiere", ...listing.slice(31).map(({ itemId }) => itemId)])
  // The count says nothing of them yet.
  expect(read(listing, known, 900, 0).fresh).toHaveLength(30)
})

it("reads past pages without a readable entry", () => {
  const entry = { itemId: "new", publishedAt: 1000 }
  const known = new Set(["known"])
  expect(isNextPageNeeded([[]], known, 900, 0)).toBe(true)
  expect(isNextPageNeeded([[entry], []], known, 900, 0)).toBe(true)
})

it("reads on until something known turns up", () => {
  const listing = Array.from({ length: 100 }, (_, index) => ({
    itemId: `item-${index}`,
    publishedAt: 1000 - index,
  }))
  const known = new Set(listing.slice(52, 57).map(({ itemId }) => itemId))
  const { fresh, pages } = read(listing, known, 944, 52)
  expect(pages).toBe(11)
  expect(fresh).toHaveLength(52)
})

it("takes an item of the same month as the archive for new only where no known item is listed any more", () => {
  const july = { publishedAt: Date.UTC(2026, 6, 1), precision: "month" } as const
  const [known, one, other] = ["known", "one", "other"].map((itemId) => ({ itemId, ...july }))
  if (known === undefined || one === undefined || other === undefined) throw new Error("three were made")
  const line = Date.UTC(2026, 6, 1)
  expect(newItems([one, other], new Set(["known"]), line)).toEqual([one, other])
  expect(newItems([known, one], new Set(["known"]), line)).toEqual([])
  expect(newItems([one], new Set(["known"]), Date.UTC(2026, 7, 1))).toEqual([])
})

it.each([
  ["december", "month", Date.UTC(2026, 11, 1), Date.UTC(2026, 11, 31, 23)],
  ["a year", "year", Date.UTC(2024, 0, 1), Date.UTC(2024, 11, 31, 23)],
  ["a leap day", "day", Date.UTC(2024, 1, 29), Date.UTC(2024, 1, 29, 23)],
] as const)("lets %s end with its last moment", (_what, precision, publishedAt, last) => {
  const item = { itemId: "one", publishedAt, precision }
  expect(newItems([item], new Set(), last)).toEqual([item])
  expect(newItems([item], new Set(), last + 3_600_000)).toEqual([])
})

it("looks below the pages read for an announced item only where the listing has as many as are counted, and not for ever", () => {
  const page = Array.from({ length: 5 }, (_, at) => ({ itemId: `${at}`, publishedAt: 1000 - at }))
  const known = new Set(page.map(({ itemId }) => itemId))
  const announced = { growth: 1, count: 6, total: 6 }
  expect(isSoughtBelow([page], known, 900, announced)).toBe(true)
  expect(isSoughtBelow([page], known, 900, { ...announced, growth: 0 })).toBe(false)
  expect(isSoughtBelow([page], known, 900, { ...announced, total: 5 })).toBe(false)
  expect(isSoughtBelow([page], known, 900, { ...announced, total: null })).toBe(false)
  expect(isSoughtBelow([page, page, page, page], known, 900, announced)).toBe(false)
  expect(isSoughtBelow([[{ itemId: "new", publishedAt: 2000 }, ...page]], known, 900, announced)).toBe(false)
})

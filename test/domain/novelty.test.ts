import fc from "fast-check"
import { expect, it } from "vitest"
import { isNextPageNeeded, newItems } from "../../src/domain/novelty.ts"

interface Entry {
  readonly externalId: string
  readonly publishedAt: number
}

const pageSize = 5
const backfill = 2

/** What a source does between two looks. A backdated item carries an old date, and is listed first all the same. */
type Change =
  | { readonly type: "publish" | "backdate" }
  | { readonly type: "remove"; readonly at: number }
  | { readonly type: "look" }

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Change>({ type: "publish" }) },
  { weight: 1, arbitrary: fc.constant<Change>({ type: "backdate" }) },
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
  const isKnown = (id: string) => known.has(id)
  do pages.push(listing.slice(pages.length * pageSize, (pages.length + 1) * pageSize))
  while (pages.length * pageSize < listing.length && isNextPageNeeded(pages, isKnown, archiveBefore, expected))
  return { fresh: newItems(pages.flat(), isKnown, archiveBefore), pages: pages.length }
}

it("finds everything new once and nothing of the archive, whatever is published, backdated and removed", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.array(change, { maxLength: 60 }), (archived, changes) => {
      let clock = 1000
      const listing: Array<Entry> = Array.from({ length: archived }, (_, index) => ({
        externalId: `old-${index}`,
        publishedAt: 900 - index,
      }))
      const first = listing.slice(0, pageSize)
      const known = new Set(first.map(({ externalId }) => externalId))
      const archiveBefore = listing.length > pageSize ? (first.at(-1)?.publishedAt ?? null) : null
      const delivered = first.slice(0, backfill).map(({ externalId }) => externalId)
      let unseen = new Set<string>()
      let hasKnownItem = known.size > 0
      const look = () => {
        for (const { externalId } of read(listing, known, archiveBefore, unseen.size).fresh) {
          known.add(externalId)
          delivered.push(externalId)
          unseen.delete(externalId)
        }
        // Ids decide as long as one known item is listed: then not even a wrong date hides anything.
        if (hasKnownItem) expect(unseen).toEqual(new Set())
        unseen = new Set()
        hasKnownItem = listing.some(({ externalId }) => known.has(externalId))
      }
      for (const one of changes) {
        if (one.type === "look") look()
        if (one.type === "publish" || one.type === "backdate") {
          clock += 1
          const entry = { externalId: `new-${clock}`, publishedAt: one.type === "publish" ? clock : 1 }
          listing.unshift(entry)
          unseen.add(entry.externalId)
        }
        if (one.type === "remove") {
          const [removed] = listing.splice(one.at, 1)
          if (removed !== undefined) unseen.delete(removed.externalId)
          hasKnownItem = listing.some(({ externalId }) => known.has(externalId))
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

it("reads one page when the first holds something known and all that the count announced", () => {
  const listing = Array.from({ length: 100 }, (_, index) => ({
    externalId: `item-${index}`,
    publishedAt: 1000 - index,
  }))
  const known = new Set(listing.slice(3, 8).map(({ externalId }) => externalId))
  expect(read(listing, known, 990, 3)).toMatchObject({ pages: 1 })
})

it("reads on until something known turns up", () => {
  const listing = Array.from({ length: 100 }, (_, index) => ({
    externalId: `item-${index}`,
    publishedAt: 1000 - index,
  }))
  const known = new Set(listing.slice(52, 57).map(({ externalId }) => externalId))
  const { fresh, pages } = read(listing, known, 944, 52)
  expect(pages).toBe(11)
  expect(fresh).toHaveLength(52)
})

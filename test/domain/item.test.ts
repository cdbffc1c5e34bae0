import { expect, it } from "vitest"
import { bounded } from "../../src/domain/item.ts"

const item = {
  title: "Title",
  description: "",
  url: "https://x.test/",
  imageUrl: null,
  publishedAt: 1000,
  durationMs: 1000,
}

it("An ordinary item is within the bounds", () => {
  expect(bounded(item)).toEqual(item)
})

it.each([
  [{ durationMs: 1e17 }, { durationMs: null }],
  [{ durationMs: -1 }, { durationMs: null }],
  [{ durationMs: Number.NaN }, { durationMs: null }],
  [{ durationMs: 1.4 }, { durationMs: 1 }],
  [{ publishedAt: 1e17 }, { publishedAt: Date.UTC(9999, 11, 31) }],
  [{ publishedAt: -1 }, { publishedAt: 0 }],
  [{ title: "x".repeat(501) }, { title: "x".repeat(500) }],
  [{ description: "x".repeat(2001) }, { description: "x".repeat(2000) }],
  [
    { url: "javascript:alert(1)", imageUrl: "data:," },
    { url: "", imageUrl: null },
  ],
])("An item with %j becomes one with %j", (odd, kept) => {
  expect(bounded({ ...item, ...odd })).toEqual({ ...item, ...kept })
})

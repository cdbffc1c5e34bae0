import { expect, it } from "vitest"
import { audit } from "./audit.ts"
import type { Happening, Rows } from "./chronicle.ts"

const person = "ann"
const sources = [{ id: "show", provider: "spotify" as const }]
const provider = "spotify" as const
const followed: ReadonlyArray<Happening> = [
  { type: "connected", person, provider },
  { type: "published", source: "show", item: "old" },
  { type: "followed", person, source: "show" },
  { type: "published", source: "show", item: "new" },
]
const revoked: Happening = { type: "revoked", person, provider }
const rows = (items: ReadonlyArray<string>, state: string | null = "connected"): Rows => ({
  feeds: items.map((item) => ({ person, provider, item })),
  accounts: state === null ? [] : [{ person, provider, state, isActive: state !== "disconnected" }],
})

it.each<[string, ReadonlyArray<Happening>, Rows, ReadonlyArray<RegExp>]>([
  ["an item that is there once", followed, rows(["new"]), []],
  ["an item from before, too", followed, rows(["old", "new"]), []],
  ["a lost item", followed, rows(["old"]), [/lost new/]],
  ["a doubled item", followed, rows(["new", "new"]), [/new twice/]],
  ["an item of nobody's source", followed, rows(["new", "other"]), [/other, which is of no source/]],
  ["an item that was taken away", [...followed, { type: "withdrawn", item: "new" }], rows([]), []],
  [
    "a source that is not followed any more",
    [...followed, { type: "unfollowed", person, source: "show" }],
    rows([]),
    [],
  ],
  ["a revoked account that says so", [...followed, revoked], rows([], "reauthorization_required"), []],
  ["a revoked account that does not", [...followed, revoked], rows(["new"]), [/is revoked, and D1 says connected/]],
  ["a good account that is given up", followed, rows(["new"], "reauthorization_required"), [/is connected, and D1/]],
  ["an account that is missing", followed, rows(["new"], null), [/is connected, and D1 says nothing/]],
  ["a disconnected account", [...followed, { type: "removed", person, provider }], rows([], "disconnected"), []],
  ["a disconnected account that goes on", [...followed, { type: "removed", person, provider }], rows([]), [/removed/]],
  ["a forgotten person", [...followed, { type: "forgotten", person }], rows([], null), []],
  ["a forgotten person with a feed", [...followed, { type: "forgotten", person }], rows(["new"], null), [/forgotten/]],
])("the auditor judges %s", (_what, happenings, given, wrong) => {
  const found = audit(happenings, given, sources)
  expect(found).toHaveLength(wrong.length)
  for (const [index, pattern] of wrong.entries()) expect(found[index]).toMatch(pattern)
})

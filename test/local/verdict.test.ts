import { Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { Delivered } from "../../local/demo/feed.ts"
import { requireKept } from "../../local/demo/result.ts"
import { expectedRows, judge } from "../../local/demo/verdict.ts"

const people = [
  { id: "ada", shows: ["show-1"], channels: ["channel-1"] },
  { id: "ben", shows: ["show-1"], channels: [] },
]
const published = [
  { itemId: "new-1", sourceId: "show-1" },
  { itemId: "new-2", sourceId: "channel-1" },
]
const row = (userId: string, itemId: string, sourceId: string, more: Partial<Delivered> = {}): Delivered => ({
  ...{ userId, provider: "spotify", itemId, sourceId, isBackfill: 0, copies: 1 },
  ...more,
})
const backfill = { isBackfill: 1 }
const complete = [
  row("ada", "old-1", "show-1", backfill),
  row("ada", "old-2", "channel-1", backfill),
  row("ben", "old-1", "show-1", backfill),
  row("ada", "new-1", "show-1"),
  row("ada", "new-2", "channel-1"),
  row("ben", "new-1", "show-1"),
]

describe("the verdict of a run", () => {
  it("finds nothing wrong with feeds that hold everything once", () => {
    expect(expectedRows(people, published, 1)).toBe(complete.length)
    expect(judge(people, published, 1, complete)).toEqual({ delivered: 3, lost: 0, doubled: 0 })
  })

  it("counts as lost what one of two followers does not have, and a missing backfill", () => {
    expect(judge(people, published, 1, complete.slice(0, -1))).toEqual({ delivered: 2, lost: 1, doubled: 0 })
    expect(judge(people, published, 1, complete.slice(1))).toEqual({ delivered: 3, lost: 1, doubled: 0 })
  })

  it("counts as doubled a second row, and whatever nobody published or followed", () => {
    const wrong = [
      [
        row("ada", "new-1", "show-1", { copies: 2 }),
        ...complete.filter(({ itemId }) => itemId !== "new-1"),
        row("ben", "new-1", "show-1"),
      ],
      [...complete, row("ben", "new-2", "channel-1")],
      [...complete, row("ben", "never", "show-1")],
      [...complete, row("ben", "old-3", "show-1", backfill)],
      [...complete, row("ben", "new-3", "show-1", { sourceId: null })],
    ]
    for (const feeds of wrong) expect(judge(people, published, 1, feeds)).toMatchObject({ lost: 0, doubled: 1 })
  })

  it("fails the command when anything was lost or doubled, and only then", async () => {
    const outcome = (lost: number, doubled: number) => Effect.runPromiseExit(requireKept({ lost, doubled }))
    expect(Exit.isSuccess(await outcome(0, 0))).toBe(true)
    expect(Exit.isSuccess(await outcome(1, 0))).toBe(false)
    expect(Exit.isSuccess(await outcome(0, 1))).toBe(false)
  })
})

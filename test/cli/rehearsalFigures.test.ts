import { describe, expect, it } from "vitest"
import { brokenPromises, type Figures } from "../../src/cli/rehearse/figures.ts"

const kept: Figures = {
  users: 100,
  moved: 100,
  rolledBack: 10,
  tokensLost: 0,
  doubleRefreshes: 0,
  itemsPublished: 50,
  itemsLost: 0,
  itemsDoubled: 0,
  reauthorizations: 0,
  tokenQueriesBefore: 20,
  tokenQueriesAfter: 0,
  cronMsBefore: 1000,
  cronMsAfter: 100,
  usersPerSecond: 5,
  seconds: 60,
}

const broken: ReadonlyArray<readonly [promise: string, figures: Partial<Figures>]> = [
  ["everybody moves", { moved: 99 }],
  ["some are rolled back", { rolledBack: 0 }],
  ["no token is lost", { tokensLost: 1 }],
  ["no refresh token is used twice", { doubleRefreshes: 1 }],
  ["items are published", { itemsPublished: 0 }],
  ["no item is lost", { itemsLost: 1 }],
  ["no item is doubled", { itemsDoubled: 1 }],
  ["nobody must consent again", { reauthorizations: 1 }],
  ["token queries are seen before the move", { tokenQueriesBefore: 0 }],
  ["none is sent after it", { tokenQueriesAfter: 1 }],
  ["a run of cron takes a tenth of the time at most", { cronMsAfter: 100.1 }],
]

describe("the promises of a rehearsal", () => {
  it("are kept by figures that are as they should be", () => {
    expect(brokenPromises(kept)).toEqual([])
  })

  it.each(broken)("are broken when it is not so that %s", (_, figures) => {
    expect(brokenPromises({ ...kept, ...figures })).toHaveLength(1)
  })
})

import { PassThrough } from "node:stream"
import { Cause, Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { brokenPromises, type Figures } from "../../local/rehearsal/figures.ts"
import { pronounce } from "../../local/rehearsal/rehearse.ts"
import { suggestions } from "../../local/rehearsal/result.ts"
import { Display } from "../../src/cli/Display.ts"
import { exitCodeOf } from "../../src/cli/exit.ts"

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

  it("say nothing of cron's time for fewer people than it takes to tell", () => {
    expect(brokenPromises({ ...kept, users: 99, moved: 99, cronMsAfter: 999 })).toEqual([])
  })
})

describe("the verdict of a rehearsal", () => {
  const surroundings = {
    tokensSet: 1,
    refreshes: 2,
    delivered: 3,
    cronRuns: 4,
    faultPercent: 5,
    mostSubrequests: 6,
    memoryMb: 7,
  }
  const pronounced = async (figures: Figures) => {
    const out = new PassThrough()
    const program = pronounce(figures, surroundings, { json: false }).pipe(Effect.provide(Display.layer(out)))
    const exit = await Effect.runPromiseExit(program)
    return { exit, said: String(out.read()) }
  }

  it("lets the command succeed when all was kept, and says what to try next", async () => {
    const { exit, said } = await pronounced(kept)
    expect(Exit.isSuccess(exit)).toBe(true)
    expect(said).toContain("What to try next")
  })

  it.each([
    [1000, "--users 300 --faults 20", "fewer people"],
    [100, "--users 1000 --faults 20", "more people"],
  ])("after a rehearsal of %i people suggests one of %s and calls it %s", (users, command, words) => {
    expect(suggestions(users)).toMatch(new RegExp(`${command} +${words}, worse providers`))
  })

  it("lets the command fail when one was not, and says which", async () => {
    const { exit, said } = await pronounced({ ...kept, tokensLost: 2, itemsDoubled: 1 })
    if (Exit.isSuccess(exit)) throw new Error("it succeeded")
    expect(Cause.squash(exit.cause)).toMatchObject({
      message: "The rehearsal broke a promise: 2 tokens lost; 1 items doubled.",
    })
    expect(exitCodeOf(exit.cause)).toBe(1)
    expect(said).toMatch(/TOKENS LOST +2/)
    expect(said).not.toContain("What to try next")
  })
})

import { describe, expect, it } from "vitest"
import { pollen, startPollen } from "../cli/pollen.ts"

describe("pollen rehearse", () => {
  it("explains itself", async () => {
    const { code, out } = await pollen("rehearse", "--help")
    expect(code).toBe(0)
    for (const flag of ["users", "faults", "seed", "subrequests", "instance-subrequests", "json"])
      expect(out).toContain(`--${flag}`)
  })

  it("says of a number of people that makes no sense which would", async () => {
    const { code, out, err } = await pollen("rehearse", "--users", "3")
    expect(code).toBe(2)
    expect(out).toBe("")
    expect(err).toContain("must be 20 to 10000")
  })

  it("that is interrupted has no verdict, and does not end as if it had a good one", async () => {
    const rehearsal = startPollen("rehearse", "--users", "20")
    await rehearsal.prints(/people in D1, before the move/)
    const { code, out } = await rehearsal.stop()
    expect(code).toBe(130)
    expect(out).not.toMatch(/TOKENS LOST/)
  })

  it("moves everybody through every stage, back and again, through a kill and faults, and loses nothing", async () => {
    const { code, out, err } = await pollen("rehearse", "--users", "30", "--json")
    const figures: unknown = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "")
    expect(figures, err).toEqual({
      ...{ users: 30, moved: 30, rolledBack: 3 },
      ...{ tokensLost: 0, doubleRefreshes: 0, itemsLost: 0, itemsDoubled: 0, reauthorizations: 0 },
      itemsPublished: expect.toSatisfy((items: number) => items > 0),
      tokenQueriesBefore: expect.toSatisfy((queries: number) => queries > 0),
      tokenQueriesAfter: 0,
      cronMsBefore: expect.any(Number),
      cronMsAfter: expect.any(Number),
      usersPerSecond: expect.any(Number),
      seconds: expect.any(Number),
    })
    expect(err).toContain("Every worker is killed")
    expect(code, err).toBe(0)
  })
})

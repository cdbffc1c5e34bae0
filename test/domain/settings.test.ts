import { Config, Effect } from "effect"
import { describe, expect, it } from "vitest"
import { checkBounds, checkTimeLimit, millis, readSettings, wholeNumber } from "../../src/domain/settings.ts"

const settings = Config.all({ wait: millis("WAIT", "10 seconds"), size: wholeNumber("SIZE", 20) })
const read = (env: object) => Effect.runPromise(readSettings(settings, env))
const problem = (effect: Effect.Effect<unknown, { readonly problem: string }>) =>
  Effect.runPromise(Effect.flip(effect)).then((error) => error.problem)

describe("settings", () => {
  it("have defaults, and are what the worker's variables say", async () => {
    expect(await read({})).toEqual({ wait: 10_000, size: 20 })
    expect(await read({ WAIT: "2 minutes", SIZE: "5", OTHER: {} })).toEqual({ wait: 120_000, size: 5 })
  })

  it("of a duration are at least a millisecond", async () => {
    expect(await read({ WAIT: "0 seconds" })).toMatchObject({ wait: 1 })
  })

  it("that cannot be read are named", async () => {
    expect(await problem(readSettings(settings, { WAIT: "soon" }))).toMatch(/^A setting cannot be read: .*WAIT/s)
    expect(await problem(readSettings(settings, { SIZE: "many" }))).toMatch(/^A setting cannot be read: .*SIZE/s)
  })

  it("that are out of bounds are told with their bounds", async () => {
    const size = (value: number) => [{ name: "SIZE", value, minimum: 1, maximum: 50 }]
    for (const value of [1, 50]) await Effect.runPromise(checkBounds(size(value)))
    for (const value of [0, 51]) expect(await problem(checkBounds(size(value)))).toBe("SIZE must be 1 to 50")
  })

  it("of a run's time are at most 14 minutes", async () => {
    await Effect.runPromise(checkTimeLimit("LIMIT", 14 * 60_000))
    expect(await problem(checkTimeLimit("LIMIT", 14 * 60_000 + 1))).toBe("LIMIT must be at most 14 minutes")
  })
})

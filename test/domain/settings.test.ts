import { Config, Effect } from "effect"
import { describe, expect, it } from "vitest"
import { simulatedProviders } from "../../local/simulator/variables.ts"
import {
  checkBounds,
  checkDurations,
  millis,
  readSettings,
  timeLimitBounds,
  wholeNumber,
} from "../../src/domain/settings.ts"
import { Settings } from "../../src/object/Settings.ts"
import { newKey } from "../newKey.ts"

const settings = Config.all({ wait: millis("WAIT", "10 seconds"), size: wholeNumber("SIZE", 20) })
const read = (env: object) => Effect.runPromise(readSettings(settings, env))
const problem = (effect: Effect.Effect<unknown, { readonly problem: string }>) =>
  Effect.runPromise(Effect.flip(effect)).then((error) => error.problem)

/** With variables that a worker may have, whether the core worker declares them or not. */
const layerOf = (env: object) => Settings.layer(env)

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
    await Effect.runPromise(checkDurations([timeLimitBounds("LIMIT", 14 * 60_000)]))
    expect(await problem(checkDurations([timeLimitBounds("LIMIT", 14 * 60_000 + 1)]))).toBe(
      "LIMIT is 14m 1ms and must be 1s to 14m: Cloudflare ends a scheduled worker after 15 minutes, without a word",
    )
  })

  it.each([
    { POLL_MINIMUM_INTERVAL: "59 seconds" },
    { POLL_MINIMUM_INTERVAL: "25 hours", POLL_MAXIMUM_INTERVAL: "2 days" },
    { POLL_MAXIMUM_INTERVAL: "31 days" },
    { POLL_REQUEST_INTERVAL: "2 days" },
    { VERIFY_INTERVAL: "1 minute" },
    { REPORT_INTERVAL: "1 minute" },
    { REQUEST_TIMEOUT: "30 seconds" },
    { REQUEST_TIMEOUT: "10 millis" },
    { DATABASE_TIMEOUT: "2 minutes" },
    { PAUSE_LIMIT: "32 days" },
  ])(
    "of the core worker that are out of bounds are told by name, and let through on one's own machine: %j",
    async (variables) => {
      const given = { TOKEN_KEYS: `k1:${newKey()}`, ...variables }
      const layer = (env: object) => Effect.runPromise(Effect.flip(Effect.provide(Settings, Settings.layer(env))))
      const name = Object.keys(variables)[0] ?? ""
      const { problem: told } = await layer({ ...given, UNSAFE_DURATIONS: "false" })
      expect(told).toMatch(new RegExp(`^${name} is .* and must be .* to .*: `))
      await Effect.runPromise(Effect.provide(Settings, layerOf({ ...given, UNSAFE_DURATIONS: "true" })))
    },
  )

  it("may be short where every provider is simulated, and no longer than anywhere", async () => {
    const given = { TOKEN_KEYS: `k1:${newKey()}`, ...simulatedProviders("http://nowhere"), UNSAFE_DURATIONS: "false" }
    const short = { POLL_MINIMUM_INTERVAL: "2 seconds", REPORT_INTERVAL: "1 second", REQUEST_TIMEOUT: "500 millis" }
    await Effect.runPromise(Effect.provide(Settings, layerOf({ ...given, ...short })))
    const long = layerOf({ ...given, REQUEST_TIMEOUT: "30 seconds" })
    expect(await problem(Effect.provide(Settings, long))).toMatch(/^REQUEST_TIMEOUT is 30s /)
  })

  it.each(["pollen.example.com", "https://pollen.example.com/v1", "ftp://pollen.example.com"])(
    "say what is wrong with an address of the gateway that is none: %s",
    async (PUBLIC_URL) => {
      const given = { TOKEN_KEYS: `k1:${newKey()}`, PUBLIC_URL }
      expect(await problem(Effect.provide(Settings, layerOf(given)))).toMatch(/^PUBLIC_URL is the gateway's address /)
    },
  )

  it("have defaults that are within their bounds", async () => {
    await Effect.runPromise(Effect.provide(Settings, Settings.layer({ TOKEN_KEYS: `k1:${newKey()}` })))
  })
})

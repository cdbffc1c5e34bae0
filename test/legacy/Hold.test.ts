import { Effect } from "effect"
import { expect, it } from "vitest"
import { RateLimited } from "../../src/domain/error.ts"
import { Hold } from "../../src/legacy/Hold.ts"

const hour = 3_600_000

const held = (reason: "rate_limited" | "quota_exceeded", hours: number) =>
  Effect.gen(function* () {
    const hold = yield* Hold
    const retryAt = Date.now() + hours * hour
    yield* hold.recall(new RateLimited({ provider: "spotify", reason, retryAt }))
    const [limited] = yield* hold.current
    return Math.round(((limited?.retryAt ?? 0) - Date.now()) / hour)
  }).pipe(Effect.provide(Hold.layer), Effect.runPromise)

it("a pause that a provider told the legacy poller lasts a day at most, unless it is a quota's", async () => {
  expect(await held("rate_limited", 5)).toBe(5)
  expect(await held("rate_limited", 5000)).toBe(24)
  expect(await held("quota_exceeded", 25)).toBe(25)
})

import { Effect, Result } from "effect"
import { describe, expect, it } from "vitest"
import { askWithToken } from "../../src/providers/askWithToken.ts"
import { AccessTokenRejected, SourceMissing } from "../../src/providers/error.ts"

const rejected = new AccessTokenRejected({ provider: "spotify" })
const missing = new SourceMissing({ provider: "spotify", state: "gone" })

/** Asks with token 1; `answers` by token. Gives the outcome, and which tokens were used and replaced. */
const run = async (answers: Readonly<Record<number, Effect.Effect<string, AccessTokenRejected | SourceMissing>>>) => {
  const asked: Array<number> = []
  const replaced: Array<number> = []
  const outcome = await askWithToken({
    provider: "spotify",
    token: 1,
    ask: (token: number) => {
      asked.push(token)
      return answers[token] ?? Effect.die("asked once too often")
    },
    replace: (token) => Effect.sync(() => replaced.push(token) + 1),
  }).pipe(Effect.result, Effect.runPromise)
  return { outcome: Result.isSuccess(outcome) ? outcome.success : outcome.failure._tag, asked, replaced }
}

describe("a request with an access token", () => {
  it("is made once when the token works, and nothing is refreshed", async () => {
    expect(await run({ 1: Effect.succeed("shows") })).toEqual({ outcome: "shows", asked: [1], replaced: [] })
  })

  it("is made once more with another token when the provider rejects the first", async () => {
    expect(await run({ 1: Effect.fail(rejected), 2: Effect.succeed("shows") })).toEqual({
      outcome: "shows",
      asked: [1, 2],
      replaced: [1],
    })
  })

  it("is given up when the provider rejects the other token too", async () => {
    expect(await run({ 1: Effect.fail(rejected), 2: Effect.fail(rejected) })).toEqual({
      outcome: "ProviderUnavailable",
      asked: [1, 2],
      replaced: [1],
    })
  })

  it("is not repeated for any other failure", async () => {
    expect(await run({ 1: Effect.fail(missing) })).toMatchObject({ outcome: "SourceMissing", asked: [1] })
    expect(await run({ 1: Effect.fail(rejected), 2: Effect.fail(missing) })).toMatchObject({
      outcome: "SourceMissing",
      asked: [1, 2],
    })
  })
})

import { env } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import type { Fault } from "../../local/simulator/model.ts"
import { ProviderHttp } from "../../src/providers/ProviderHttp.ts"
import { SharedSimulatorClient } from "../simulator/sharedClient.ts"

const simulator = new SharedSimulatorClient(env.SIMULATOR_URL)
const { spotify } = simulator.endpoints

afterEach(() => simulator.clearFaults())

let people = 0

/** Asks for somebody's library, with a fault; gives the outcome and every request that came of it. */
const ask = async (fault: Fault, times?: number) => {
  const person = `asking-${++people}`
  const { accessToken } = await simulator.grant(person, "spotify")
  await simulator.setFaults([{ match: { person }, fault, ...(times === undefined ? {} : { times }) }])
  const token = Redacted.make(accessToken)
  const url = `${spotify.api}/me/shows`
  const outcome = await Effect.gen(function* () {
    const http = yield* ProviderHttp
    return yield* http.get({ provider: "spotify", url, query: {}, token, etag: null })
  }).pipe(
    Effect.map(({ status }) => String(status)),
    Effect.catch(({ reason }) => Effect.succeed(reason)),
    Effect.provide(ProviderHttp.layer(5000)),
    Effect.runPromise,
  )
  return { outcome, asked: await simulator.ledger({ person }) }
}

describe("A request to a provider's API", () => {
  it.each([301, 302, 303, 307, 308])(
    "that is sent elsewhere by %i fails, and is neither followed nor repeated",
    async (status) => {
      const { outcome, asked } = await ask({ type: "redirect", location: "/v1/me", status })
      expect(outcome).toBe(`answered ${status}, which is not followed`)
      expect(asked).toHaveLength(1)
    },
  )

  it("of which the answer is too large fails, and is neither read to the end nor repeated", async () => {
    const { outcome, asked } = await ask({ type: "huge", bytes: 6_000_000 })
    expect(outcome).toBe("the answer is larger than 4 MB")
    expect(asked).toHaveLength(1)
  })

  it("reads an answer that comes in pieces and is within the limit", async () => {
    expect((await ask({ type: "huge", bytes: 3_000_000 })).outcome).toBe("200")
  })

  it("is repeated after an outage", async () => {
    const { outcome, asked } = await ask({ type: "status", status: 503 }, 2)
    expect(outcome).toBe("200")
    expect(asked).toHaveLength(3)
  })
})

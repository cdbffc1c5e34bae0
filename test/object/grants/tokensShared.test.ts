import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect, Fiber, Layer } from "effect"
import { describe, expect, it } from "vitest"
import { Budget } from "../../../src/budget/Budget.ts"
import type { Provider } from "../../../src/domain/provider.ts"
import { GrantStore } from "../../../src/object/grants/GrantStore.ts"
import { Refresher } from "../../../src/object/grants/Refresher.ts"
import { EventQueue, TokenEvents } from "../../../src/object/grants/TokenEvents.ts"
import { Settings } from "../../../src/object/Settings.ts"
import { Store } from "../../../src/object/Store.ts"
import { Underway } from "../../../src/object/Underway.ts"
import { ProviderHttp } from "../../../src/providers/ProviderHttp.ts"
import { forever } from "../../forever.ts"
import { Person, simulator } from "../person.ts"

const connected = async (provider: Provider) => {
  const person = new Person()
  await person.follows(await simulator.createSource({ provider, items: 1 }))
  await person.connects(provider)
  await person.pollNow()
  return person
}

describe("A refresh under way", () => {
  it("goes on for the others when the first of its callers gives up", async () => {
    const person = await connected("spotify")
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { times: 1 })
    const outcome = await runInDurableObject(person.stub, (_instance, state) => {
      // The parts of the object, so that a caller can be interrupted: a call over RPC cannot.
      const parts = Refresher.layer.pipe(
        Layer.provide(GrantStore.layer),
        Layer.provide(TokenEvents.layer),
        Layer.provide(EventQueue.layer(undefined)),
        Layer.provide(ProviderHttp.layer(forever)),
        Layer.provide(Budget.layer(undefined, env, { name: person.id, isForMany: false })),
        Layer.provide(Settings.layer(env)),
        Layer.provide(Store.layer(state, person.id)),
        Layer.provide(Underway.layer),
      )
      return Effect.gen(function* () {
        const refresher = yield* Refresher
        const first = yield* Effect.forkChild(refresher.refreshNow("spotify"))
        yield* Effect.promise(() => simulator.waitForHeld(gate))
        const second = yield* Effect.forkChild(refresher.refreshNow("spotify"))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(first)
        yield* Effect.promise(() => simulator.release(gate))
        return yield* Fiber.await(second)
      }).pipe(Effect.provide(parts), Effect.runPromise)
    })
    expect(outcome._tag).toBe("Success")
    expect(await simulator.ledger({ person: person.id, kind: "token" })).toHaveLength(1)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("that fails does not fail the token set in between, which is used at once", async () => {
    const person = await connected("spotify")
    const match = { person: person.id, kind: "token" } as const
    const gate = await simulator.hold(match, { times: 1 })
    await simulator.setFaults([{ match, fault: { type: "reset" }, times: 1 }])
    const refresh = person.refreshTokens({ force: true })
    await simulator.waitForHeld(gate)
    await person.connects("spotify")
    await simulator.release(gate)
    expect(await refresh).toMatchObject({ accounts: [{ outcome: "refreshed", reason: null }] })
    const { accounts, events } = await person.status()
    expect(accounts).toMatchObject([{ state: "connected", failures: 0, retryAt: null }])
    expect(events.map(({ type }) => type)).not.toContain("refresh_failed")
  })
})

describe("A refresh token for which the provider sends no new one", () => {
  it("is kept, and refreshes again", async () => {
    const person = await connected("youtube")
    const { newestRefreshToken } = await simulator.tokenState(person.id, "youtube")
    for (const _round of [1, 2]) {
      expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    }
    expect(await simulator.tokenState(person.id, "youtube")).toMatchObject({ refreshes: 2, newestRefreshToken })
    expect((await person.status()).events.map(({ type }) => type)).not.toContain("rotated")
  })
})

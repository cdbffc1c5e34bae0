import { Effect, Fiber, Ref } from "effect"
import { expect, it } from "vitest"
import { consentAnew, noEvents, publishOne } from "../../local/rehearsal/life.ts"
import { SimulatorClient } from "../../local/simulator/client.ts"
import { Gateway } from "../../local/stack/Gateway.ts"
import { Simulator } from "../../local/stack/Simulator.ts"

const simulatorOf = (client: SimulatorClient) =>
  Simulator.of({ url: "http://nowhere", ask: (instruction) => Effect.promise(() => instruction(client)) })

it("records what was published even if the rehearsal ends while the simulator answers", async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const client = new SimulatorClient("http://nowhere")
  client.publish = async () => {
    asked.resolve()
    await answer.promise
    return [{ id: "item-1" }]
  }
  const program = Effect.gen(function* () {
    const events = yield* noEvents
    const publishing = yield* Effect.forkChild(publishOne(["show-1"], events))
    yield* Effect.promise(() => asked.promise)
    yield* Effect.forkChild(Effect.delay(Effect.sync(answer.resolve), "50 millis"))
    yield* Fiber.interrupt(publishing)
    return yield* Ref.get(events.published)
  })
  expect(await Effect.runPromise(Effect.provideService(program, Simulator, simulatorOf(client)))).toEqual([
    { itemId: "item-1", sourceId: "show-1" },
  ])
})

it("gives pollen the tokens of each consent even if the rehearsal ends before it has them", async () => {
  const asked = Promise.withResolvers<void>()
  const client = new SimulatorClient("http://nowhere")
  client.grant = async () => {
    asked.resolve()
    return { accessToken: "a", refreshToken: "r", expiresAt: 1, scope: [] }
  }
  let given = 0
  const gateway = Gateway.of({
    bearer: () => Effect.succeed(""),
    request: () =>
      Effect.delay(
        Effect.sync(() => void given++),
        "50 millis",
      ),
  })
  const program = Effect.gen(function* () {
    const events = yield* noEvents
    const consenting = yield* Effect.forkChild(consentAnew("ada", "spotify", events))
    yield* Effect.promise(() => asked.promise)
    yield* Fiber.interrupt(consenting)
    return yield* Ref.get(events.tokensSet)
  }).pipe(Effect.provideService(Simulator, simulatorOf(client)), Effect.provideService(Gateway, gateway))
  expect(await Effect.runPromise(program)).toBe(1)
  expect(given).toBe(1)
})

import { Effect, Fiber, Ref } from "effect"
import { expect, it } from "vitest"
import { noEvents, publishOne } from "../../local/rehearsal/life.ts"
import { SimulatorClient } from "../../local/simulator/client.ts"
import { Simulator } from "../../local/stack/Simulator.ts"

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
  const simulator = Simulator.of({
    url: "http://nowhere",
    ask: (instruction) => Effect.promise(() => instruction(client)),
  })
  expect(await Effect.runPromise(Effect.provideService(program, Simulator, simulator))).toEqual([
    { itemId: "item-1", sourceId: "show-1" },
  ])
})

import { Context, Effect, Layer } from "effect"
import { CannotStart } from "../../src/cli/state/error.ts"
import type { SimulatorClient } from "../simulator/client.ts"
import type { SimulatorOptions } from "../simulator/model.ts"

/** The simulator of Spotify and YouTube, in this process. */
export class Simulator extends Context.Service<
  Simulator,
  {
    readonly url: string
    /** Gives one instruction; a refusal is a defect, since nothing here depends on what a person typed. */
    readonly ask: <A>(instruction: (client: SimulatorClient) => Promise<A>) => Effect.Effect<A>
  }
>()("pollen/cli/Simulator") {
  static readonly layer = (options: SimulatorOptions) =>
    Layer.effect(
      Simulator,
      Effect.gen(function* () {
        const simulator = yield* Effect.acquireRelease(
          Effect.tryPromise({
            // Not needed, and in a deployed copy not there, when the real providers are asked.
            try: () => import("../simulator/server/start.ts").then((module) => module.startSimulator(options)),
            catch: (error) =>
              new CannotStart({
                message: `The simulator (local/simulator) does not start: ${error instanceof Error ? error.message : String(error)}`,
              }),
          }),
          ({ close }) => Effect.promise(close),
        )
        return { url: simulator.url, ask: (instruction) => Effect.promise(() => instruction(simulator.client)) }
      }),
    )
}

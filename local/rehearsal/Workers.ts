import { Context, Effect, Layer, Schedule } from "effect"
import type { CannotStart } from "../../src/cli/state/error.ts"
import type { Keys } from "../../src/cli/state/keys.ts"
import { acquireStack } from "../stack/acquireStack.ts"
import type { Send } from "../stack/Gateway.ts"
import { coreWorker, cronWorker, gatewayWorker, migrationWorker } from "../stack/LocalWorker.ts"
import { Simulator } from "../stack/Simulator.ts"
import type { Output } from "../stack/whileWaiting.ts"
import { WorkersSilent } from "./error.ts"
import { killRuntime } from "./kill.ts"
import { coreSettings, type Pace } from "./settings.ts"
import type { OperationName, Operations } from "./workers/operations.ts"

const entries = "local/rehearsal/workers"

type Variables = Readonly<Record<string, string>>

/** The workers as they are deployed, under Cloudflare's limits, each with an entry that counts its statements, and the observer beside them. */
export const workersUnderLimits = (keys: Keys, vars: Variables, limits: Variables) => [
  gatewayWorker(keys, { entry: `${entries}/gateway.ts`, vars: limits }),
  coreWorker(keys, { entry: `${entries}/core.ts`, vars: { ...vars, ...limits } }),
  cronWorker({ entry: `${entries}/cron.ts`, vars: { ...vars, ...limits } }),
  migrationWorker(keys, { entry: `${entries}/migration.ts`, vars: limits }),
  { configPath: `${entries}/wrangler.toml` },
]

const untilRestarted = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 50 }))

/** All four workers in real workerd, in a runtime that can be killed and comes back with its storage. */
export class Workers extends Context.Service<
  Workers,
  {
    /** Asks the observer. */
    readonly observe: <Name extends OperationName>(
      name: Name,
      input: Operations[Name]["input"],
    ) => Effect.Effect<Operations[Name]["output"], WorkersSilent>
    /** One run of cron, and how long it took as seen from outside: milliseconds. */
    readonly runCron: Effect.Effect<number, WorkersSilent>
    /** One run of the migration worker's Cron Trigger. */
    readonly tend: Effect.Effect<void, WorkersSilent>
    /** `fetch` to the gateway and to the migration worker, which goes on working when the runtime is restarted. */
    readonly toGateway: Send
    readonly toMigration: Send
    /** Kills the runtime with everything under way in it, and waits until it is up again. */
    readonly killAndRestart: Effect.Effect<void, WorkersSilent>
    /** Rows of D1; waits for a runtime that is being restarted. */
    readonly query: (statement: string) => Effect.Effect<ReadonlyArray<unknown>>
    /** Errors that the workers logged since the last call. */
    readonly takeErrors: Effect.Effect<ReadonlyArray<string>>
  }
>()("pollen/cli/Workers") {
  static readonly layer = (
    keys: Keys,
    pace: Pace,
    limits: Variables,
    output: Output,
  ): Layer.Layer<Workers, CannotStart, Simulator> =>
    Layer.effect(
      Workers,
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const stack = yield* acquireStack(output, {
          workers: workersUnderLimits(keys, coreSettings(simulator.url, pace), limits),
        })
        const { harness } = stack

        const silent = (what: string) => (error: unknown) =>
          new WorkersSilent({ message: `${what}: ${error instanceof Error ? error.message : String(error)}` })
        // A request that is under way when the runtime is killed gets no answer, and does not always fail.
        let death = Promise.withResolvers<never>()
        const orKilled = <A>(answer: PromiseLike<A>): Promise<A> => Promise.race([answer, death.promise])
        const to =
          (worker: string): Send =>
          (target, init) =>
            orKilled(harness.getWorker(worker).fetch(target, init))
        const toObserver = to("observer")
        const observe = Effect.fnUntraced(function* <Name extends OperationName>(
          name: Name,
          input: Operations[Name]["input"],
        ) {
          return yield* Effect.tryPromise({
            try: async (): Promise<Operations[Name]["output"]> => {
              const init = { method: "POST", body: JSON.stringify(input) }
              const response = await toObserver(`http://observer/${name}`, init)
              const text = await response.text()
              if (response.status !== 200) throw new Error(`${response.status} ${text.slice(0, 400)}`)
              return JSON.parse(text)
            },
            catch: silent(name),
          })
        })
        const query = (sql: string) =>
          observe("query", [{ sql }]).pipe(
            Effect.retry(untilRestarted),
            Effect.orDie,
            Effect.map(([rows]) => rows ?? []),
          )
        const trigger = (worker: string) =>
          Effect.tryPromise({
            try: async () => {
              const { outcome } = await orKilled(harness.getWorker(worker).scheduled({ cron: "* * * * *" }))
              if (outcome !== "ok") throw new Error(`ended with ${outcome}`)
            },
            catch: silent(worker),
          })
        const runCron = Effect.suspend(() => {
          const startedAt = performance.now()
          return Effect.map(trigger("pollen-cron"), () => performance.now() - startedAt)
        })
        const killAndRestart = Effect.gen(function* () {
          if ((yield* killRuntime).length === 0) {
            return yield* new WorkersSilent({ message: "There is no process of the workers' runtime to kill." })
          }
          death.promise.catch(() => {})
          death.reject(new Error("the runtime was killed"))
          death = Promise.withResolvers()
          // Wrangler notices and starts the runtime again.
          yield* Effect.retry(observe("statements", null), untilRestarted)
        })
        return {
          observe,
          runCron,
          tend: trigger("pollen-migration"),
          toGateway: to("pollen-gateway"),
          toMigration: to("pollen-migration"),
          killAndRestart,
          query,
          takeErrors: Effect.sync(stack.takeErrors),
        }
      }),
    )
}

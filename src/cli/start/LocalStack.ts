import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Context, Effect, Layer, Schema } from "effect"
import type { TestHarness } from "wrangler"
import { CannotStart, toCannotStart } from "./error.ts"
import { openFront } from "./Front.ts"
import type { Keys } from "./keys.ts"
import { Simulator } from "./Simulator.ts"
import { simulatedSettings } from "./settings.ts"
import { keepSignals } from "./signals.ts"

/** The repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url))

/** What of D1 is needed here. */
interface Database {
  prepare(query: string): { all(): Promise<{ readonly results: ReadonlyArray<unknown> }> }
}

const StatementCounts = Schema.Record(Schema.String, Schema.Int)

const workers = (wrangler: typeof import("wrangler"), settings: Readonly<Record<string, string>>, keys: Keys) => {
  const core = wrangler.unstable_readConfig({ config: join(root, "wrangler.toml") }, { hideWarnings: true })
  const { name, compatibility_date, compatibility_flags, durable_objects, migrations, d1_databases, rules } = core
  return [
    { configPath: join(root, "src/gateway/wrangler.toml"), secrets: { GATEWAY_KEY: keys.GATEWAY_KEY } },
    {
      // The core worker as it is deployed, but for an entry that counts what the objects send to D1.
      config: {
        ...{ name, compatibility_flags, durable_objects, migrations, d1_databases, rules },
        ...(compatibility_date === undefined ? {} : { compatibility_date }),
        main: join(root, "bench/workers/countedCore.ts"),
        vars: settings,
      },
    },
    { configPath: join(root, "src/cron/wrangler.toml") },
  ]
}

const start = (keys: Keys, simulatorUrl: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async (): Promise<{ readonly harness: TestHarness; readonly port: number }> => {
        const wrangler = await import("wrangler")
        const settings = simulatedSettings(simulatorUrl, keys)
        const harness = wrangler.createTestHarness({ root, workers: workers(wrangler, settings, keys) })
        const { url } = await harness.listen()
        return { harness, port: Number(url.port) }
      },
      catch: (error) => {
        const known = toCannotStart("The folder for the workers' files")(error)
        return known.message.includes("cannot be used")
          ? new CannotStart({
              message: `The workers do not start: ${error instanceof Error ? error.message : String(error)}`,
            })
          : known
      },
    }),
    ({ harness }) => Effect.promise(() => harness.close()),
  )

/** Core, gateway and cron in real workerd, with a migrated D1 that is gone when they stop. */
export class LocalStack extends Context.Service<
  LocalStack,
  {
    /** Of the gateway, for example `http://127.0.0.1:8787`. */
    readonly url: string
    readonly keys: Keys
    /** Rows of D1. The statement is not counted as anybody's. */
    readonly query: (statement: string) => Effect.Effect<ReadonlyArray<unknown>>
    /** By user id: statements that the person's object has sent to D1 so far. */
    readonly statementCounts: Effect.Effect<Readonly<Record<string, number>>>
    /** What the workers logged as errors since the last call. */
    readonly takeErrors: Effect.Effect<ReadonlyArray<string>>
  }
>()("pollen/cli/LocalStack") {
  static readonly layer = (port: number, keys: Keys) =>
    Layer.effect(
      LocalStack,
      Effect.gen(function* () {
        const front = yield* openFront(port)
        const simulator = yield* Simulator
        yield* keepSignals
        const { harness, port: workersPort } = yield* start(keys, simulator.url)
        const gateway = harness.getWorker<{ readonly DB: Database }>("pollen-gateway")
        yield* Effect.promise(() => harness.getWorker("pollen-gateway").applyD1Migrations("DB"))
        yield* front.forwardTo(workersPort)
        const { DB } = yield* Effect.promise(() => gateway.getEnv())
        return {
          url: front.url,
          keys,
          query: (statement) =>
            Effect.map(
              Effect.promise(() => DB.prepare(statement).all()),
              ({ results }) => results,
            ),
          statementCounts: Effect.promise(() =>
            harness
              .getWorker("pollen")
              .fetch("http://pollen/")
              .then((response) => response.json()),
          ).pipe(Effect.flatMap(Schema.decodeUnknownEffect(StatementCounts)), Effect.orDie),
          takeErrors: Effect.sync(() => {
            const errors = harness.getLogs().filter(({ level }) => level === "error")
            harness.clearLogs()
            return errors.map(({ message }) => message)
          }),
        }
      }),
    )
}

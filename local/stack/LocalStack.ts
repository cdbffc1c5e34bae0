import { Context, Effect, Layer, Schema } from "effect"
import { Display } from "../../src/cli/Display.ts"
import type { Keys } from "../../src/cli/state/keys.ts"
import { announceLocalEndpoint } from "../../src/cli/state/localEndpoint.ts"
import { openHttpForwarder } from "./HttpForwarder.ts"
import { openHarness, type WithEntry } from "./harness.ts"
import { Simulator } from "./Simulator.ts"
import { simulatedSettings } from "./settings.ts"
import { keepSignals } from "./signals.ts"
import { openTcpForwarder } from "./TcpForwarder.ts"

/** What of D1 is needed here. */
interface Database {
  prepare(query: string): { all(): Promise<{ readonly results: ReadonlyArray<unknown> }> }
}

const StatementCounts = Schema.Record(Schema.String, Schema.Int)

const workers =
  (settings: Readonly<Record<string, string>>, { GATEWAY_KEY, ADMIN_TOKEN }: Keys) =>
  (withEntry: WithEntry) => [
    { configPath: "src/gateway/wrangler.toml", secrets: { GATEWAY_KEY } },
    // The core worker as it is deployed, but for an entry that counts what the objects send to D1.
    withEntry("wrangler.toml", "local/stack/workers/countedCore.ts", settings),
    { configPath: "src/cron/wrangler.toml" },
    { configPath: "src/migration/wrangler.toml", secrets: { ADMIN_TOKEN } },
  ]

const starting =
  "starting core, gateway, cron and migration workers, a database and a stand-in for Spotify and YouTube on this machine"

/** Core, gateway, cron and migration in real workerd, with a migrated D1 that is gone when they stop. */
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
  /** `stateDir`: where commands in other terminals find out where the migration worker is. */
  static readonly layer = (port: number, keys: Keys, stateDir: string) =>
    Layer.effect(
      LocalStack,
      Effect.gen(function* () {
        const display = yield* Display
        const front = yield* openTcpForwarder(port)
        yield* display.line(starting)
        const simulator = yield* Simulator
        yield* keepSignals
        const { harness, url } = yield* openHarness(workers(simulatedSettings(simulator.url, keys), keys))
        const gateway = harness.getWorker<{ readonly DB: Database }>("pollen-gateway")
        yield* Effect.promise(() => harness.getWorker("pollen-gateway").applyD1Migrations("DB"))
        yield* front.forwardTo(Number(url.port))
        yield* announceLocalEndpoint(stateDir, yield* openHttpForwarder(harness.getWorker("pollen-migration").fetch))
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

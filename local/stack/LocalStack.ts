import { Context, Effect, Layer, Schema } from "effect"
import type { TestHarness } from "wrangler"
import { Display } from "../../src/cli/Display.ts"
import type { Keys } from "../../src/cli/state/keys.ts"
import { announceStack } from "../../src/cli/state/stacks.ts"
import { acquireStack } from "./acquireStack.ts"
import { runCronEvery } from "./cronSchedule.ts"
import { openHttpForwarder } from "./HttpForwarder.ts"
import { cronWorker, gatewayWorker, migrationWorker, simulatedCoreWorker } from "./LocalWorker.ts"
import { Simulator } from "./Simulator.ts"
import { simulatedSettings } from "./settings.ts"
import { openTcpForwarder } from "./TcpForwarder.ts"
import type { Output } from "./whileWaiting.ts"

const StatementCounts = Schema.Record(Schema.String, Schema.Int)

const entries = "local/stack/workers"

/**
 * The workers as they are deployed, but for entries that keep Cloudflare's limits, count what the objects send to D1, and let a request
 * run cron. `limits` are other ones than Cloudflare's; `publicUrl` is where the gateway takes pushes.
 */
export const workersUnderLimits = (
  simulatorUrl: string,
  keys: Keys,
  limits: Readonly<Record<string, string>> = {},
  publicUrl = "",
) => {
  // With a key, so that hubs look after channels. A rehearsal has none: with intervals of seconds, looks would be all that two cores do.
  const vars = {
    ...simulatedSettings(simulatorUrl),
    YOUTUBE_API_KEY: "simulator-key",
    PUBLIC_URL: publicUrl,
    ...limits,
  }
  return [
    gatewayWorker(keys, { entry: `${entries}/gateway.ts`, vars: limits }),
    simulatedCoreWorker(keys, simulatorUrl, { entry: `${entries}/countedCore.ts`, vars }),
    cronWorker({
      entry: `${entries}/cron.ts`,
      vars: {
        ...vars, // legacy
        ...limits,
      },
    }),
    migrationWorker(keys, { entry: `${entries}/migration.ts`, vars: limits }),
  ]
}

/** Seconds from the end of a run of cron to the next: every 30 minutes, where it is deployed. */
export const cronSeconds = 20

/** Fires the Cron Trigger of the migration worker. */
const runTend = (harness: TestHarness) =>
  Effect.promise(() => harness.getWorker("pollen-migration").scheduled({ cron: "* * * * *" }))

const starting =
  "Starting core, gateway, cron and migration workers, a database and a simulator of Spotify and YouTube on this machine."

export interface LocalStackOptions {
  /** Of the gateway; 0 takes any that is free. */
  readonly port: number
  readonly keys: Keys
  /** Where commands in other terminals find out where the migration worker is. */
  readonly stateDir: string
  /** Where is shown what is being waited for. */
  readonly output: Output
}

/** Core, gateway, cron and migration in real workerd, with a migrated D1 that is gone when they stop. */
export class LocalStack extends Context.Service<
  LocalStack,
  {
    /** Of the gateway, for example `http://127.0.0.1:8787`. */
    readonly url: string
    /** Where a `POST` runs cron. */
    readonly cronUrl: string
    readonly keys: Keys
    /** Rows of D1. The statement is not counted as anybody's. */
    readonly query: (
      statement: string,
      values?: ReadonlyArray<string | number | null>,
    ) => Effect.Effect<ReadonlyArray<unknown>>
    /** One run of cron; the figures that it has written. */ // legacy
    readonly runCron: Effect.Effect<unknown> // legacy
    /** By user id: statements that the person's object has sent to D1 so far. */
    readonly statementCounts: Effect.Effect<Readonly<Record<string, number>>>
    /** What the workers logged as errors since the last call. */
    readonly takeErrors: Effect.Effect<ReadonlyArray<string>>
  }
>()("pollen/cli/LocalStack") {
  static readonly layer = ({ port, keys, stateDir, output }: LocalStackOptions) =>
    Layer.effect(
      LocalStack,
      Effect.gen(function* () {
        const forwarder = yield* openTcpForwarder(port)
        const display = yield* Display
        yield* display.line(starting)
        const simulator = yield* Simulator
        const stack = yield* acquireStack(output, {
          workers: workersUnderLimits(simulator.url, keys, {}, forwarder.url),
        })
        const { harness, database } = stack
        yield* forwarder.forwardTo(Number(stack.url.port))
        const cronUrl = yield* openHttpForwarder(harness.getWorker("pollen-cron").fetch)
        const migrationUrl = yield* openHttpForwarder(harness.getWorker("pollen-migration").fetch)
        yield* announceStack(stateDir, { url: forwarder.url, migrationUrl, kind: "simulated" })
        const get = (worker: string) =>
          Effect.promise(() =>
            harness
              .getWorker(worker)
              .fetch(`http://${worker}/`)
              .then((response) => response.json()),
          )
        yield* runCronEvery(cronSeconds, get("pollen-cron"))
        yield* runCronEvery(cronSeconds, runTend(harness))
        return {
          url: forwarder.url,
          cronUrl,
          keys,
          query: (statement, values = []) =>
            Effect.map(
              Effect.promise(() =>
                database
                  .prepare(statement)
                  .bind(...values)
                  .all(),
              ),
              ({ results }) => results,
            ),
          runCron: get("pollen-cron"), // legacy
          statementCounts: get("pollen").pipe(
            Effect.flatMap(Schema.decodeUnknownEffect(StatementCounts)),
            Effect.orDie,
          ),
          takeErrors: Effect.sync(stack.takeErrors),
        }
      }),
    )
}

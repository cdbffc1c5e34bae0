import { availableParallelism } from "node:os"
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin"
import { defineConfig } from "vitest/config"
import { simulatedProviders } from "./local/simulator/variables.ts"
import { forever } from "./test/forever.ts"
import { newKey } from "./test/newKey.ts"
import { OutputWatch } from "./test/outputWatch.ts"

/** Whatever waits for a condition waits as long as it takes: a busy machine fails no test. */
const limits = { testTimeout: forever, hookTimeout: forever, expect: { poll: { timeout: forever } } }

export default defineConfig({
  test: {
    // Much of a test is waiting: on two cores, one file at a time took 430 s, two 289 s, three 254 s.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // What a test prints is shown when it fails; all of it is read by the watch, whose place after the other reporter lets it read first.
    silent: "passed-only",
    reporters: ["default", new OutputWatch()],
    projects: [
      {
        // Real workerd, real D1, real object storage; the providers are the simulator, over HTTP.
        plugins: [
          cloudflareTest(async ({ inject }) => {
            const simulator = inject("simulatorUrl")
            return {
              main: "./test/worker.ts",
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: {
                queueProducers: { TOKEN_EVENTS: "token-events" },
                bindings: {
                  SIMULATOR_URL: simulator,
                  STRICT_SIMULATOR_URL: inject("strictSimulatorUrl"),
                  TOKEN_KEYS: `k2:${newKey()},k1:${newKey()}`,
                  GATEWAY_KEY: newKey(),
                  ...simulatedProviders(simulator),
                  SPOTIFY_CLIENTS: "second:second-client",
                  SPOTIFY_CLIENT_SECRETS: "second:second-secret",
                  // What a provider that is silent is given is for the tests of that alone to say: test/worker.ts.
                  REQUEST_TIMEOUT: `${forever} millis`,
                  DATABASE_TIMEOUT: `${forever} millis`,
                  POLL_REQUEST_INTERVAL: "0 seconds",
                  // So many that no two channels of a test share one; test/hub/following.ts has as many.
                  SOURCE_HUBS: "100000",
                  // How many orders of events the property of one holder tries.
                  SEQUENCES: process.env["SEQUENCES"] ?? "15",
                  // How often everything goes wrong while hubs look after channels.
                  CHAOS_SEEDS: process.env["CHAOS_SEEDS"] ?? "3",
                  // How many made-up payloads each method and each route gets, and from which seed on.
                  PAYLOADS: process.env["PAYLOADS"] ?? "10",
                  // How many sequences the campaign of faults plays, and from which seed on.
                  CAMPAIGN_SEQUENCES: process.env["CAMPAIGN_SEQUENCES"] ?? "200",
                  CAMPAIGN_SEED: process.env["CAMPAIGN_SEED"] ?? "1",
                  CAMPAIGN_PATH: process.env["CAMPAIGN_PATH"] ?? "",
                  DATABASE_MIGRATIONS: await readD1Migrations("./migrations/database"),
                },
              },
            }
          }),
        ],
        test: {
          name: "workerd",
          // Files share a workerd, which takes longer to start than most of them run; test/database.ts keeps them apart.
          isolate: false,
          include: [
            "test/{budget,campaign,core,cron,feed,gateway,hub,legacy,migration,move,object,providers,rpc}/**/*.test.ts",
          ],
          globalSetup: ["./test/simulator/globalSetup.ts"],
          setupFiles: ["./test/database.ts", "./test/traces.ts"],
          ...limits,
        },
      },
      {
        test: {
          name: "node",
          // What commands print is compared as text, wherever the tests run.
          env: { NO_COLOR: "1", FORCE_COLOR: "0" },
          include: ["test/{cli,domain,integration,local,repository,simulator}/**/*.test.ts"],
          ...limits,
        },
      },
    ],
  },
})

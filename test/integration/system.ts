import type { D1Database } from "@cloudflare/workers-types"
import { createTestHarness, type TestHarness } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { simulatedProviders } from "../../local/simulator/variables.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { newKey } from "../newKey.ts"

/** The workers as they are deployed, each in its own isolate, with service bindings between them, and the simulator. */
export interface System {
  readonly harness: TestHarness
  readonly simulator: SimulatorClient
  readonly gatewayUrl: URL
  readonly database: D1Database
  /** Asks the gateway in a person's name. */
  readonly ask: (userId: string, method: string, path: string, body?: unknown) => Promise<Response>
  readonly close: () => Promise<void>
}

export const startSystem = async (): Promise<System> => {
  const simulator = await startSimulator({ seed: 3 })
  const gatewayKey = newKey()
  const harness = createTestHarness({
    workers: [
      { configPath: "src/gateway/wrangler.toml", secrets: { GATEWAY_KEY: gatewayKey } },
      {
        configPath: "wrangler.toml",
        secrets: { TOKEN_KEYS: `k1:${newKey()}` },
        vars: simulatedProviders(simulator.client.url),
      },
      { configPath: "src/cron/wrangler.toml" },
      { configPath: "test/integration/caller/wrangler.toml" },
    ],
  })
  const { url } = await harness.listen()
  const core = harness.getWorker<{ readonly DB: D1Database }>("pollen")
  await core.applyD1Migrations("DB")
  const { DB: database } = await core.getEnv()
  return {
    harness,
    simulator: simulator.client,
    gatewayUrl: url,
    database,
    ask: async (userId, method, path, body) =>
      fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${await issueBearer(gatewayKey, userId)}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    close: async () => {
      await harness.close()
      await simulator.close()
    },
  }
}

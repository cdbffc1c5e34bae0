import type { D1Database } from "@cloudflare/workers-types"
import type { TestHarness } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { cronWorker, gatewayWorker, simulatedCoreWorker } from "../../local/stack/LocalWorker.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"

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
  const keys = generateKeys()
  const { harness, url, database, close } = await openStack({
    workers: [
      gatewayWorker(keys),
      simulatedCoreWorker(keys, simulator.client.url),
      cronWorker(),
      { configPath: "test/integration/caller/wrangler.toml" },
    ],
  })
  return {
    harness,
    simulator: simulator.client,
    gatewayUrl: url,
    database,
    ask: async (userId, method, path, body) =>
      fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${await issueBearer(keys.GATEWAY_KEY, userId)}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    close: async () => {
      await close()
      await simulator.close()
    },
  }
}

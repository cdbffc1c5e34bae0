import type { D1Database } from "@cloudflare/workers-types"
import { createTestHarness, type TestHarness, type TestHarnessOptions } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { simulatedProviders } from "../../local/simulator/variables.ts"
import { newKey } from "../newKey.ts"

/** What of the answers of `src/migration/api` tests go on with; what else they expect, they say. */
export interface Told {
  readonly id: string
  readonly state: string
  readonly runs: ReadonlyArray<object>
  readonly actions: ReadonlyArray<object>
}

interface Answer<A> {
  readonly status: number
  readonly body: A
}

/** The migration worker and the core worker as they are deployed, and the simulator. */
export interface OperatorSystem {
  readonly harness: TestHarness
  readonly adminToken: string
  readonly simulator: SimulatorClient
  readonly database: () => Promise<D1Database>
  /** Asks the migration worker in the operator's name. */
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer<Told>>
  /** As it comes, with these headers. */
  readonly request: (path: string, init: RequestInit) => Promise<Response>
  readonly close: () => Promise<void>
}

export const startOperatorSystem = async (vars: Record<string, string> = {}): Promise<OperatorSystem> => {
  const simulator = await startSimulator({ seed: 5 })
  const adminToken = newKey()
  const options: TestHarnessOptions = {
    workers: [
      { configPath: "src/migration/wrangler.toml", secrets: { ADMIN_TOKEN: adminToken }, vars },
      {
        configPath: "wrangler.toml",
        secrets: { TOKEN_KEYS: `k1:${newKey()}` },
        vars: simulatedProviders(simulator.client.url),
      },
    ],
  }
  const harness = createTestHarness(options)
  const { url } = await harness.listen()
  await harness.getWorker("pollen").applyD1Migrations("DB")
  const request: OperatorSystem["request"] = (path, init) => fetch(new URL(path, url), init)
  return {
    harness,
    adminToken,
    simulator: simulator.client,
    database: async () => (await harness.getWorker<{ readonly DB: D1Database }>("pollen").getEnv()).DB,
    request,
    ask: async (method, path, body) => {
      const response = await request(path, {
        method,
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    },
    close: async () => {
      await harness.close()
      await simulator.close()
    },
  }
}

import type { D1Database } from "@cloudflare/workers-types"
import type { TestHarness } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { migrationWorker, simulatedCoreWorker } from "../../local/stack/LocalWorker.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"

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
  readonly database: D1Database
  /** Asks the migration worker in the operator's name. */
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer<Told>>
  /** As it comes, with these headers. */
  readonly request: (path: string, init: RequestInit) => Promise<Response>
  readonly close: () => Promise<void>
}

export const startOperatorSystem = async (vars: Record<string, string> = {}): Promise<OperatorSystem> => {
  const simulator = await startSimulator({ seed: 5 })
  const keys = generateKeys()
  const { harness, url, database, close } = await openStack({
    workers: [migrationWorker(keys, { vars }), simulatedCoreWorker(keys, simulator.client.url)],
  })
  const request: OperatorSystem["request"] = (path, init) => fetch(new URL(path, url), init)
  return {
    harness,
    adminToken: keys.ADMIN_TOKEN,
    simulator: simulator.client,
    database,
    request,
    ask: async (method, path, body) => {
      const response = await request(path, {
        method,
        headers: {
          authorization: `Bearer ${keys.ADMIN_TOKEN}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    },
    close: async () => {
      await close()
      await simulator.close()
    },
  }
}

import type { SimulatorClient } from "../../local/simulator/client.ts"
import { simulatedProviders } from "../../local/simulator/variables.ts"
import {
  cronWorker,
  gatewayWorker,
  type LocalWorker,
  migrationWorker,
  simulatedCoreWorker,
} from "../../local/stack/LocalWorker.ts"
import { openStack, type Stack } from "../../local/stack/openStack.ts"
import { generateKeys, type Keys } from "../../src/cli/state/keys.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { openSimulator } from "../openSimulator.ts"

/** The four workers as they are deployed, with the simulator for the providers. */
export interface Production extends Pick<Stack, "harness" | "database" | "close"> {
  readonly keys: Keys
  readonly simulator: SimulatorClient
  /** Asks the gateway for one person, as an app does; `path` begins with a slash. Throws unless the answer is a good one. */
  readonly request: (
    userId: string,
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ) => Promise<unknown>
  /** Connects both accounts of a person. */
  readonly connect: (userId: string) => Promise<void>
  /** Throws somebody's object out of memory, if it is there. */
  readonly evict: (userId: string) => Promise<void>
  /** One run of cron, in milliseconds as seen from outside. */
  readonly runCron: () => Promise<number>
}

interface ProductionOptions {
  /** Variables of core and cron in addition. */
  readonly vars?: Readonly<Record<string, string>>
  /** Other workers than those that are deployed, or with entries of their own. */
  readonly workersOf?: (keys: Keys, url: string, vars: Readonly<Record<string, string>>) => ReadonlyArray<LocalWorker>
}

const deployed: NonNullable<ProductionOptions["workersOf"]> = (keys, url, vars) => [
  gatewayWorker(keys),
  simulatedCoreWorker(keys, url, { vars }),
  cronWorker({ vars }),
  migrationWorker(keys),
]

export const openProduction = async ({ vars = {}, workersOf = deployed }: ProductionOptions): Promise<Production> => {
  const keys = generateKeys()
  const { simulator, close: closeSimulator } = await openSimulator()
  const all = {
    ...simulatedProviders(simulator.url),
    // What is measured is asked for: no alarm polls in between.
    POLL_MINIMUM_INTERVAL: "6 hours",
    POLL_REQUEST_INTERVAL: "0 seconds",
    ...vars,
  }
  const stack = await openStack({ workers: workersOf(keys, simulator.url, all) }).catch(async (problem: unknown) => {
    await closeSimulator()
    throw problem
  })
  const request: Production["request"] = async (userId, method, path, body) => {
    const response = await stack.harness.getWorker("pollen-gateway").fetch(`http://gateway${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await issueBearer(keys.GATEWAY_KEY, userId)}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 400)}`)
    return text === "" ? null : JSON.parse(text)
  }
  return {
    keys,
    simulator,
    request,
    harness: stack.harness,
    database: stack.database,
    connect: async (userId) => {
      for (const provider of ["spotify", "youtube"] as const) {
        const grant = await simulator.grant(userId, provider)
        await request(userId, "PUT", `/v1/accounts/${provider}/token`, grant)
      }
    },
    evict: async (name) => {
      const evicted = stack.harness.getWorker("pollen").evictDurableObject("USERS", { name })
      await evicted.catch((problem: unknown) => {
        if (!String(problem).includes("not currently running")) throw problem
      })
    },
    runCron: async () => {
      const startedAt = performance.now()
      const { outcome } = await stack.harness.getWorker("pollen-cron").scheduled({ cron: "*/30 * * * *" })
      if (outcome !== "ok")
        throw new Error(
          `cron ended with ${outcome}: ${stack.harness
            .getLogs()
            .slice(-6)
            .map(({ message }) => message)
            .join("; ")
            .slice(0, 3000)}`,
        )
      return performance.now() - startedAt
    },
    close: async () => {
      await stack.close()
      await closeSimulator()
    },
  }
}

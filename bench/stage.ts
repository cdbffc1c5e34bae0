import { randomBytes } from "node:crypto"
import type { SimulatorClient } from "../local/simulator/client.ts"
import { simulatedProviders } from "../local/simulator/variables.ts"
import { openStack } from "../local/stack/openStack.ts"
import { openSimulator } from "./openSimulator.ts"
import type { OperationName, Operations, PlainGrant, Provider, Side } from "./workers/operations.ts"

/** Everything a figure needs: the workers in workerd, and the simulator of the providers in a process of its own. */
export interface Stage {
  readonly simulator: SimulatorClient
  /** Asks the caller worker. */
  readonly ask: <Name extends OperationName>(
    name: Name,
    input: Operations[Name]["input"],
  ) => Promise<Operations[Name]["output"]>
  /** Connects both accounts of people, or one. */
  readonly connect: (
    side: Side,
    userIds: ReadonlyArray<string>,
    providers?: ReadonlyArray<Provider>,
    expiresInSeconds?: number,
  ) => Promise<void>
  /** What the workers have logged. */
  readonly logs: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const variables = (simulator: string) => ({
  TOKEN_KEYS: `bench:${randomBytes(32).toString("base64")}`,
  ...simulatedProviders(simulator),
  // What is measured is asked for: no alarm polls in between.
  POLL_MINIMUM_INTERVAL: "6 hours",
  POLL_REQUEST_INTERVAL: "0 seconds",
})

export const openStage = async (): Promise<Stage> => {
  const { simulator, close: endSimulator } = await openSimulator()
  const { url } = simulator
  const stack = await openStack({
    workers: [
      { configPath: "bench/workers/caller/wrangler.toml" },
      { configPath: "bench/workers/core/wrangler.toml", vars: variables(url) },
    ],
    databases: ["DB", "HANDWRITTEN_DB"].map((binding) => ({ worker: "bench-core", binding })),
  }).catch(async (problem: unknown) => {
    await endSimulator()
    throw problem
  })
  const caller = stack.harness.getWorker("bench-caller")
  const close = async () => {
    await stack.close()
    await endSimulator()
  }

  const ask: Stage["ask"] = async (name, input) => {
    const response = await caller.fetch(`/${name}`, { method: "POST", body: JSON.stringify(input) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text.slice(0, 400)}`)
    return JSON.parse(text)
  }

  const connect: Stage["connect"] = async (side, userIds, providers = ["spotify", "youtube"], expiresInSeconds) => {
    const wanted = userIds.flatMap((person) =>
      providers.map((provider) => ({
        person,
        provider,
        ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
      })),
    )
    const issued = await simulator.grants(wanted)
    const grants = wanted.flatMap(({ person, provider }, index): ReadonlyArray<PlainGrant> => {
      const tokens = issued[index]
      return tokens === undefined ? [] : [{ userId: person, provider, tokens }]
    })
    await ask("setTokens", { side, grants })
  }

  return { simulator, ask, connect, logs: () => stack.harness.getLogs().map(({ message }) => message), close }
}

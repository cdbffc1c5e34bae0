import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { SimulatorClient } from "../local/simulator/client.ts"
import { simulatedProviders } from "../local/simulator/variables.ts"
import { openStack } from "../local/stack/openStack.ts"
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

/** The simulator beside us and not in this process: it must not wait for whoever measures. */
const startSimulator = async (): Promise<{ readonly url: string; readonly process: ChildProcess }> => {
  const script = fileURLToPath(new URL("../local/simulator/main.ts", import.meta.url))
  const child = spawn(process.execPath, [script, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] })
  for await (const chunk of child.stdout) {
    const url = /http:\/\/\S+/.exec(String(chunk))?.[0]
    if (url !== undefined) return { url, process: child }
  }
  throw new Error("the simulator ended before it listened")
}

const variables = (simulator: string) => ({
  TOKEN_KEYS: `bench:${randomBytes(32).toString("base64")}`,
  ...simulatedProviders(simulator),
  // What is measured is asked for: no alarm polls in between.
  POLL_MINIMUM_INTERVAL: "6 hours",
  POLL_REQUEST_INTERVAL: "0 seconds",
})

export const openStage = async (): Promise<Stage> => {
  const { url, process: child } = await startSimulator()
  const simulator = new SimulatorClient(url)
  const endSimulator = async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  }
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

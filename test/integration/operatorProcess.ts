import type { ChildProcess } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { freePort } from "../../local/stack/freePort.ts"
import { migrationWorker, simulatedCoreWorker } from "../../local/stack/LocalWorker.ts"
import {
  exitOf,
  killWrangler,
  migrateKept,
  queryKept,
  startWranglerDev,
  writeWorkers,
} from "../../local/stack/wranglerDev.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"
import type { Told } from "./operator.ts"

/** A stack of the migration and the core worker that is a process of its own, and can be killed as one. */
export interface OperatorProcess {
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Told>
  /** What an operator's command has to be told. */
  readonly environment: () => Readonly<Record<string, string>>
  /** Runs SQL in D1, while nobody else has it open. */
  readonly sql: (text: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  readonly start: () => Promise<void>
  /** Without any warning. */
  readonly kill: () => Promise<void>
  readonly remove: () => Promise<void>
}

export const operatorProcess = async (simulator: SimulatorClient): Promise<OperatorProcess> => {
  const folder = await mkdtemp(join(tmpdir(), "pollen-process-"))
  const state = join(folder, "state")
  const keys = generateKeys()
  const configs = await writeWorkers(folder, [migrationWorker(keys), simulatedCoreWorker(keys, simulator.url)])
  await exitOf(migrateKept(state))

  let port = 0
  let child: ChildProcess | undefined
  const kill = async () => {
    if (child !== undefined) await killWrangler(child)
    child = undefined
  }
  const request = (method: string, path: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.ADMIN_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    ask: async (method, path, body) => (await request(method, path, body)).json(),
    environment: () => ({ POLLEN_MIGRATION_URL: `http://127.0.0.1:${port}`, POLLEN_ADMIN_TOKEN: keys.ADMIN_TOKEN }),
    sql: (text) => queryKept(state, text),
    start: async () => {
      port = await freePort()
      child = startWranglerDev({ configs, port, state, stderr: "ignore" })
      for (;;) {
        const isUp = await request("GET", "/health").then(
          ({ ok }) => ok,
          () => false,
        )
        if (isUp) return
        await setTimeout(100)
      }
    },
    kill,
    remove: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

import type { D1Database } from "@cloudflare/workers-types"
import type { TestHarness, TestHarnessOptions } from "wrangler"
import { declaredBy } from "./declared.ts"
import type { LocalWorker } from "./LocalWorker.ts"
import { root } from "./root.ts"

/** A D1 binding of one of the workers. */
interface Binding {
  readonly worker: string
  readonly binding: string
}

export interface StackOptions {
  /** The first of them is at the stack's `url`. */
  readonly workers: ReadonlyArray<LocalWorker>
  /** Databases that are migrated before anybody asks; the core worker's unless told. */
  readonly databases?: ReadonlyArray<Binding>
  /** Told what is being waited for. */
  readonly onPhase?: (phase: string) => void
}

/** Workers in real workerd, started by this process. Their storage goes when they are closed. */
export interface Stack {
  readonly harness: TestHarness
  /** Of the first worker. */
  readonly url: URL
  /** The first of the databases. */
  readonly database: D1Database
  /** What the workers logged as errors since the last call. */
  readonly takeErrors: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const coreDatabase: Binding = { worker: "pollen", binding: "DB" }

type Input = TestHarnessOptions["workers"][number]

/** A worker with an entry of its own is configured inline, since wrangler takes the entry from the file otherwise. */
const inputOf = (readConfig: typeof import("wrangler").unstable_readConfig, worker: LocalWorker): Input => {
  const { configPath, entry, vars = {}, secrets = {} } = worker
  if (entry === undefined) return { configPath, vars, secrets }
  return { config: { ...declaredBy(readConfig, worker), vars: { ...vars, ...secrets } } }
}

const migrate = async (harness: TestHarness, databases: ReadonlyArray<Binding>) => {
  for (const { worker, binding } of databases) await harness.getWorker(worker).applyD1Migrations(binding)
}

/** Starts workers in this process and migrates their databases. */
export const openStack = async ({
  workers,
  databases = [coreDatabase],
  onPhase = () => {},
}: StackOptions): Promise<Stack> => {
  const { createTestHarness, unstable_readConfig } = await import("wrangler")
  const harness = createTestHarness({ root, workers: workers.map((worker) => inputOf(unstable_readConfig, worker)) })
  try {
    onPhase("building and starting the workers")
    const { url } = await harness.listen()
    onPhase("migrating the database")
    await migrate(harness, databases)
    const [{ worker, binding } = coreDatabase] = databases
    const { [binding]: database } = await harness.getWorker<Record<string, D1Database>>(worker).getEnv()
    if (database === undefined) throw new Error(`${worker} has no database ${binding}`)
    return {
      harness,
      url,
      database,
      takeErrors: () => {
        const errors = harness.getLogs().filter(({ level }) => level === "error")
        harness.clearLogs()
        return errors.map(({ message }) => message)
      },
      close: () => harness.close(),
    }
  } catch (problem) {
    await harness.close()
    throw problem
  }
}

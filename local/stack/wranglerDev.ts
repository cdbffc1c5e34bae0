import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { declaredBy } from "./declared.ts"
import type { LocalWorker } from "./LocalWorker.ts"
import { root } from "./root.ts"

const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js")

/** How long wrangler may take to end by itself before it is killed, in milliseconds. */
const endAtMostMs = 1500

/** Runs wrangler in a process group of its own, with the workers' runtime in it: a terminal's Ctrl-C reaches neither, the end of this process both. */
const runWrangler = (stdio: "inherit" | "ignore", ...parameters: ReadonlyArray<string>): ChildProcess => {
  const child = spawn(process.execPath, [wrangler, ...parameters], {
    cwd: root,
    stdio: ["ignore", "ignore", stdio],
    detached: process.platform !== "win32",
    env: { ...process.env, CI: "1", WRANGLER_LOG: "error", WRANGLER_SEND_METRICS: "false" },
  })
  const end = () => killGroup(child)
  process.once("exit", end)
  child.once("exit", () => process.removeListener("exit", end))
  return child
}

/** Lines of a `.dev.vars`, whose values are quoted: a secret may contain `#` or `"`. */
const linesOf = (secrets: Readonly<Record<string, string>>): string =>
  Object.entries(secrets)
    .map(([name, value]) => (value.includes('"') ? `${name}='${value}'\n` : `${name}="${value}"\n`))
    .join("")

/**
 * Writes the workers' configurations for `wrangler dev`, in a folder each with the secrets beside them, and returns their files. In files,
 * since other users of the machine see a process's arguments; one folder each, since `wrangler dev` gives an env file to the first alone.
 */
export const writeWorkers = async (
  folder: string,
  workers: ReadonlyArray<LocalWorker>,
): Promise<ReadonlyArray<string>> => {
  const { unstable_readConfig } = await import("wrangler")
  const write = async (worker: LocalWorker) => {
    const config = declaredBy(unstable_readConfig, worker)
    // They are migrated before, from where they are.
    const d1_databases = config.d1_databases.map((database: object) => ({ ...database, migrations_dir: undefined }))
    const own = join(folder, config.name ?? worker.configPath)
    await mkdir(own, { recursive: true })
    await writeFile(join(own, ".dev.vars"), linesOf({ ...worker.vars, ...worker.secrets }), { mode: 0o600 })
    await writeFile(join(own, "wrangler.json"), JSON.stringify({ ...config, d1_databases }, null, 2))
    return join(own, "wrangler.json")
  }
  return Promise.all(workers.map(write))
}

/** Migrates the database that is kept in `state`; the child ends with 0 when it is done. */
export const migrateKept = (state: string): ChildProcess =>
  runWrangler("inherit", "d1", "migrations", "apply", "pollen", "--local", "--persist-to", state)

export interface WranglerDevOptions {
  /** From `writeWorkers`; the first has the port. */
  readonly configs: ReadonlyArray<string>
  readonly port: number
  /** Where storage is kept. */
  readonly state: string
  readonly stderr?: "inherit" | "ignore"
}

/** The workers in a process of their own, whose storage stays. */
export const startWranglerDev = ({ configs, port, state, stderr = "inherit" }: WranglerDevOptions): ChildProcess =>
  runWrangler(
    stderr,
    "dev",
    ...configs.flatMap((config) => ["-c", config]),
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", state],
    "--show-interactive-dev-session=false",
  )

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** The exit code; 1 of a process that a signal has ended. */
export const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    if (hasEnded(child)) resolve(child.exitCode ?? 1)
    else child.once("exit", (code) => resolve(code ?? 1))
  })

/** Kills the group of a process that `runWrangler` has started; one that has ended is no matter. */
const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}

/** Ends wrangler and the runtime that it has started, without any warning. */
export const killWrangler = async (child: ChildProcess): Promise<void> => {
  killGroup(child)
  await exitOf(child)
}

/** Asks wrangler to end, and kills it if it takes too long over it. */
export const stopWrangler = async (child: ChildProcess): Promise<void> => {
  child.kill("SIGINT")
  const late = setTimeout(() => killGroup(child), endAtMostMs)
  await exitOf(child)
  clearTimeout(late)
  // Where wrangler has died, its runtime may not have noticed.
  killGroup(child)
}

/** Runs SQL in a kept database while nobody else has it open, and gives its rows. */
export const queryKept = async (state: string, sql: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const command = ["d1", "execute", "pollen", "--local", "--persist-to", state, "--json", "--command", sql]
  const child = spawn(process.execPath, [wrangler, ...command], { cwd: root, stdio: ["ignore", "pipe", "ignore"] })
  let text = ""
  for await (const chunk of child.stdout) text += String(chunk)
  return JSON.parse(text)[0].results
}

import { execFile, spawn } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { unstable_readConfig } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import type { Told } from "./operator.ts"

const run = promisify(execFile)
const wrangler = join(process.cwd(), "node_modules/wrangler/bin/wrangler.js")
const newKey = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** A worker as its `wrangler.toml` declares it, in a folder of its own with its secrets beside it. */
const writeWorker = async (folder: string, configPath: string, secrets: Readonly<Record<string, string>>) => {
  const declared = unstable_readConfig({ config: configPath }, { hideWarnings: true })
  const { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, services, rules } = declared
  const copy = { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, services, rules }
  const d1_databases = declared.d1_databases.map((one: object) => ({ ...one, migrations_dir: undefined }))
  await mkdir(folder, { recursive: true })
  const lines = Object.entries(secrets).map(([key, value]) => `${key}="${value}"\n`)
  await writeFile(join(folder, ".dev.vars"), lines.join(""), { mode: 0o600 })
  const config = join(folder, "wrangler.json")
  await writeFile(config, JSON.stringify({ ...copy, d1_databases, workflows: declared.workflows }))
  return config
}

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
  const adminToken = newKey()
  const { spotify, youtube } = simulator.endpoints
  const configs = [
    await writeWorker(join(folder, "migration"), "src/migration/wrangler.toml", { ADMIN_TOKEN: adminToken }),
    await writeWorker(join(folder, "core"), "wrangler.toml", {
      TOKEN_KEYS: `k1:${newKey()}`,
      SPOTIFY_CLIENT_ID: "simulator-client",
      SPOTIFY_CLIENT_SECRET: "simulator-secret",
      SPOTIFY_API_URL: spotify.api,
      SPOTIFY_TOKEN_URL: spotify.token,
      YOUTUBE_CLIENT_ID: "simulator-client",
      YOUTUBE_CLIENT_SECRET: "simulator-secret",
      YOUTUBE_API_URL: youtube.api,
      YOUTUBE_TOKEN_URL: youtube.token,
    }),
  ]
  const env = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" }
  const d1 = (...command: ReadonlyArray<string>) =>
    run(process.execPath, [wrangler, "d1", ...command, "--local", "--persist-to", state], { env, maxBuffer: 1 << 24 })
  await d1("migrations", "apply", "pollen", "-c", "wrangler.toml")

  let port = 0
  let child: ReturnType<typeof spawn> | undefined
  const kill = async () => {
    const running = child
    if (running?.pid === undefined) return
    child = undefined
    const gone = new Promise((resolve) => running.once("exit", resolve))
    // The whole group: wrangler runs workerd as a process of its own.
    process.kill(-running.pid, "SIGKILL")
    await gone
  }
  const request = (method: string, path: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    ask: async (method, path, body) => (await request(method, path, body)).json(),
    environment: () => ({ POLLEN_MIGRATION_URL: `http://127.0.0.1:${port}`, POLLEN_ADMIN_TOKEN: adminToken }),
    sql: async (text) => {
      const { stdout } = await d1("execute", "pollen", "-c", "wrangler.toml", "--json", "--command", text)
      return JSON.parse(stdout)[0].results
    },
    start: async () => {
      port = await freePort()
      const files = configs.flatMap((config) => ["-c", config])
      const flags = ["--persist-to", state, "--port", `${port}`, "--inspector-port", `${await freePort()}`]
      child = spawn(process.execPath, [wrangler, "dev", ...files, ...flags], { env, detached: true, stdio: "ignore" })
      for (;;) {
        const isUp = await request("GET", "/health").then(
          ({ ok }) => ok,
          () => false,
        )
        if (isUp) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    kill,
    remove: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

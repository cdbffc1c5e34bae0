import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { toCannotStart } from "../../src/cli/state/error.ts"
import { type Keys, localKeys } from "../../src/cli/state/keys.ts"
import { root } from "../stack/harness.ts"

/** One worker as `wrangler dev` starts it: its configuration and, beside it, the secrets that it alone gets. */
interface LiveWorker {
  readonly folder: string
  readonly configPath: string
  readonly secrets: string
}

const lineOf = (name: keyof Keys, keys: Keys) => `${name}="${keys[name]}"\n`

const write = async ({ folder, configPath, secrets }: LiveWorker): Promise<string> => {
  const { unstable_readConfig } = await import("wrangler")
  const config = unstable_readConfig({ config: join(root, configPath) }, { hideWarnings: true })
  const { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, services, rules } = config
  // They are migrated before, from where they are.
  const d1_databases = config.d1_databases.map((database: object) => ({ ...database, migrations_dir: undefined }))
  const copy = { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, services, rules }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, ".dev.vars"), secrets, { mode: 0o600 })
  await writeFile(join(folder, "wrangler.json"), JSON.stringify({ ...copy, d1_databases }, null, 2))
  return join(folder, "wrangler.json")
}

/**
 * Writes the workers' configurations for `wrangler dev`, the gateway's first, and returns their files and the keys. In files and
 * one folder each, since `wrangler dev` gives an env file to the first worker only, and other users of the machine see a
 * process's arguments. The folder goes when the scope closes.
 */
export const writeLiveWorkers = Effect.fn("writeLiveWorkers")(function* (stateDir: string, clientIds: string) {
  const keys = yield* localKeys(stateDir)
  const folder = join(stateDir, "live")
  const attempt = <A>(act: () => Promise<A>) => Effect.tryPromise({ try: act, catch: toCannotStart(folder) })
  yield* Effect.addFinalizer(() => Effect.promise(() => rm(folder, { recursive: true, force: true })))
  const given = yield* attempt(() => readFile(clientIds, "utf8"))
  const workers: ReadonlyArray<LiveWorker> = [
    {
      folder: join(folder, "gateway"),
      configPath: "src/gateway/wrangler.toml",
      secrets: lineOf("GATEWAY_KEY", keys),
    },
    {
      folder: join(folder, "core"),
      configPath: "wrangler.toml",
      secrets: `${given.trimEnd()}\n${lineOf("TOKEN_KEYS", keys)}`,
    },
    { folder: join(folder, "cron"), configPath: "src/cron/wrangler.toml", secrets: "" },
  ]
  const configs = yield* Effect.forEach(workers, (worker) => attempt(() => write(worker)))
  return { keys, configs }
})

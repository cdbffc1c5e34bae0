import { join } from "node:path"
import type { unstable_readConfig } from "wrangler"
import type { LocalWorker } from "./LocalWorker.ts"
import { root } from "./root.ts"

/** What a worker's `wrangler.toml` declares and a local copy of it needs, with its entry as an absolute path. */
export const declaredBy = (readConfig: typeof unstable_readConfig, { configPath, entry }: LocalWorker) => {
  const declared = readConfig({ config: join(root, configPath) }, { hideWarnings: true })
  const { name, compatibility_date, compatibility_flags, durable_objects, migrations, d1_databases, rules } = declared
  const { services, workflows } = declared
  return {
    ...{ name, compatibility_flags, durable_objects, migrations, d1_databases, rules, workflows },
    ...(services === undefined ? {} : { services }),
    ...(compatibility_date === undefined ? {} : { compatibility_date }),
    ...(entry === undefined ? {} : { main: join(root, entry) }),
    ...(entry === undefined && declared.main !== undefined ? { main: declared.main } : {}),
  }
}

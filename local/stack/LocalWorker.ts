import type { Keys } from "../../src/cli/state/keys.ts"
import { simulatedProviders } from "../simulator/variables.ts"

type Variables = Readonly<Record<string, string>>

/** A worker of a stack: what its `wrangler.toml` declares, with these differences. */
export interface LocalWorker {
  /** Its `wrangler.toml`, relative to the repository. */
  readonly configPath: string
  /** A module in place of its own entry, relative to the repository. */
  readonly entry?: string
  readonly vars?: Variables
  readonly secrets?: Variables
}

/** What may differ from the worker that is deployed. */
type Difference = Pick<LocalWorker, "entry" | "vars">

export const gatewayWorker = (
  { GATEWAY_KEY }: Pick<Keys, "GATEWAY_KEY">,
  difference: Difference = {},
): LocalWorker => ({
  configPath: "src/gateway/wrangler.toml",
  secrets: { GATEWAY_KEY },
  ...difference,
})

/** The core worker; `secrets` holds the client ids of providers, where there are any. */
export const coreWorker = (
  { TOKEN_KEYS }: Pick<Keys, "TOKEN_KEYS">,
  difference: Difference & { readonly secrets?: Variables } = {},
): LocalWorker => ({
  configPath: "wrangler.toml",
  ...difference,
  secrets: { TOKEN_KEYS, ...difference.secrets },
})

/** The core worker against the simulator at `url`. */
export const simulatedCoreWorker = (
  keys: Pick<Keys, "TOKEN_KEYS">,
  url: string,
  { vars, ...difference }: Difference = {},
): LocalWorker =>
  coreWorker(keys, { ...difference, vars: { ...simulatedProviders(url), POLL_REQUEST_INTERVAL: "0 seconds", ...vars } })

export const cronWorker = (difference: Omit<LocalWorker, "configPath"> = {}): LocalWorker => ({
  configPath: "src/cron/wrangler.toml",
  ...difference,
})

export const migrationWorker = (
  { ADMIN_TOKEN }: Pick<Keys, "ADMIN_TOKEN">,
  difference: Difference = {},
): LocalWorker => ({
  configPath: "src/migration/wrangler.toml",
  secrets: { ADMIN_TOKEN },
  ...difference,
})

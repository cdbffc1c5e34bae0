import type { GatewayEntrypoint } from "../core/entrypoints.ts"

/** The bindings of the gateway worker, as its `wrangler.toml` declares them, and its secret. */
export interface GatewayEnv {
  readonly CORE: Service<typeof GatewayEntrypoint>
  readonly DB: D1Database
  /** Secret. Signs bearer tokens; at least 32 characters. Changing it makes every bearer token invalid at once. */
  readonly GATEWAY_KEY?: string
  /** Origins whose pages may ask, separated by commas: `https://app.example`. None unless said. */
  readonly CORS_ORIGINS?: string
}

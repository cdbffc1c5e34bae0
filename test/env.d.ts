import type { D1Migration } from "cloudflare:test"
import type { CoreEnv } from "../src/core/env.ts"

declare global {
  namespace Cloudflare {
    interface Env extends CoreEnv {
      readonly SIMULATOR_URL: string
      /** A second one: refresh tokens work once, and the endpoints for several shows and episodes are there. */
      readonly STRICT_SIMULATOR_URL: string
      readonly GATEWAY_KEY: string
      readonly SEQUENCES: string
      readonly CHAOS_SEEDS: string
      readonly PAYLOADS: string
      readonly CAMPAIGN_SEQUENCES: string
      readonly CAMPAIGN_SEED: string
      readonly CAMPAIGN_PATH: string
      readonly DATABASE_MIGRATIONS: Array<D1Migration>
    }
    interface GlobalProps {
      mainModule: typeof import("./worker.ts")
      durableNamespaces: "UserSubscriptionManager"
    }
  }
}

import type { CoreEnv } from "../../../src/core/env.ts"
import type { HandwrittenManager } from "../../handwritten/HandwrittenManager.ts"
import type { UserSubscriptionManager } from "./UserSubscriptionManager.ts"

export interface BenchEnv extends Omit<CoreEnv, "USERS"> {
  readonly USERS: DurableObjectNamespace<UserSubscriptionManager>
  readonly HANDWRITTEN_USERS: DurableObjectNamespace<HandwrittenManager>
  readonly HANDWRITTEN_DB: D1Database
  readonly SPOTIFY_API_URL: string
  readonly YOUTUBE_API_URL: string
}

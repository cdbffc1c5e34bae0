import type { ProviderBudget } from "../budget/ProviderBudget.ts"
import type { SourceHub } from "../hub/SourceHub.ts"
import type { SettingsVariables } from "../object/Settings.ts"
import type { UserSubscriptionManager } from "../object/UserSubscriptionManager.ts"

/** The bindings of the core worker, as `wrangler.toml` declares them, and its variables and secrets. */
export interface CoreEnv extends SettingsVariables {
  readonly USERS: DurableObjectNamespace<UserSubscriptionManager>
  readonly DB: D1Database
  /** The hubs that look after public sources; optional. */
  readonly HUBS?: DurableObjectNamespace<SourceHub>
  /** What the application may ask of the providers; optional. */
  readonly BUDGETS?: DurableObjectNamespace<ProviderBudget>
  /** Where token events are published; optional. */
  readonly TOKEN_EVENTS?: Queue
}

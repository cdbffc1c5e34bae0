export { ProviderBudget } from "../budget/ProviderBudget.ts"
export { SourceHub } from "../hub/SourceHub.ts"
export { UserSubscriptionManager } from "../object/UserSubscriptionManager.ts"
export { CronEntrypoint, GatewayEntrypoint, MigrationEntrypoint, TokensEntrypoint } from "./entrypoints.ts"

/** The core worker is reached by RPC alone. */
export default {
  fetch: () => new Response("pollen is called by RPC; people use the gateway.\n", { status: 404 }),
} satisfies ExportedHandler

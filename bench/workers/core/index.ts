export { ProviderBudget } from "../../../src/budget/ProviderBudget.ts"
export { GatewayEntrypoint } from "../../../src/core/entrypoints.ts"
export { SourceHub } from "../../../src/hub/SourceHub.ts"
export { HandwrittenManager } from "../../handwritten/HandwrittenManager.ts"
export { ComparedEntrypoint } from "./entrypoints.ts"
export { UserSubscriptionManager } from "./UserSubscriptionManager.ts"

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler

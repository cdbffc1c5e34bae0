import type { GatewayEnv } from "../../../src/gateway/env.ts"
import gateway from "../../../src/gateway/index.ts"
import { limitBindings, limitFetch } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"

limitFetch()

/** The gateway as it is deployed, under Cloudflare's limits. */
export default {
  fetch: (request, env, context) => invocation(() => gateway.fetch(request, limitBindings(env), context)),
} satisfies ExportedHandler<GatewayEnv>

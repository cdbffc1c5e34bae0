import type { GatewayEnv } from "../../../src/gateway/env.ts"
import gateway from "../../../src/gateway/index.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

export default {
  fetch: (request, env, context) => gateway.fetch(request, watched(env), context),
} satisfies ExportedHandler<GatewayEnv>

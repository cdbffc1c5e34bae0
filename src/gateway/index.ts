import type { GatewayEnv } from "./env.ts"
import { type Gateway, makeGateway } from "./makeGateway.ts"

let gateway: Gateway | undefined

export default {
  fetch: (request, env, context) => {
    // Bindings are the same for the life of an isolate, so the routes are built once.
    gateway ??= makeGateway(env)
    return gateway(request, context)
  },
} satisfies ExportedHandler<GatewayEnv>

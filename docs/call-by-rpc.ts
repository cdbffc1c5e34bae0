import { WorkerEntrypoint } from "cloudflare:workers"
import { Effect } from "effect"
import type { GatewayEntrypoint } from "../src/core/entrypoints.ts"
import { UserId } from "../src/domain/user.ts"
import { call } from "../src/rpc/call.ts"
import { PollNow } from "../src/rpc/methods.ts"

interface Env {
  // wrangler.toml: [[services]] binding = "POLLEN", service = "pollen", entrypoint = "GatewayEntrypoint"
  readonly POLLEN: Service<typeof GatewayEntrypoint>
}

export default class extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    const userId = UserId.make(new URL(request.url).searchParams.get("user") ?? "somebody")
    const pollNow = call(PollNow, (payload) => this.env.POLLEN.pollNow(payload))
    return pollNow({ userId }).pipe(
      Effect.map((summary) => Response.json(summary)),
      // The errors of a method are classes with fields, and the compiler knows which there are.
      Effect.catchTag("InvalidRequest", ({ issues }) => Effect.succeed(Response.json({ issues }, { status: 400 }))),
      Effect.catchTag("ObjectUnavailable", ({ overloaded }) =>
        Effect.succeed(new Response("Try again", { status: 503, headers: { "retry-after": overloaded ? "30" : "1" } })),
      ),
      Effect.orDie,
      Effect.runPromise,
    )
  }
}

import { WorkerEntrypoint } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import type { TokensEntrypoint } from "../src/core/entrypoints.ts"
import { UserId } from "../src/domain/user.ts"
import { call } from "../src/rpc/call.ts"
import { GetAccessToken } from "../src/rpc/move.ts"

interface Env {
  // wrangler.toml: [[services]] binding = "TOKENS", service = "pollen", entrypoint = "TokensEntrypoint"
  readonly TOKENS: Service<typeof TokensEntrypoint>
}

/** Answers what the person plays just now. */
export default class extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    const userId = UserId.make(new URL(request.url).searchParams.get("user") ?? "somebody")
    const getAccessToken = call(GetAccessToken, (payload) => this.env.TOKENS.getAccessToken(payload))
    return getAccessToken({ userId, provider: "spotify" }).pipe(
      // Works for the next minutes: ask again instead of keeping it.
      Effect.flatMap(({ accessToken }) =>
        Effect.promise(() =>
          fetch("https://api.spotify.com/v1/me/player", {
            headers: { authorization: `Bearer ${Redacted.value(accessToken)}` },
          }),
        ),
      ),
      Effect.catchTag(["AccountNotConnected", "ReauthorizationRequired"], ({ message }) =>
        Effect.succeed(new Response(message, { status: 409 })),
      ),
      Effect.orDie,
      Effect.runPromise,
    )
  }
}

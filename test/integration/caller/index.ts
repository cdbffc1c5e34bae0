import { Effect, Schema } from "effect"
import type { GatewayEntrypoint } from "../../../src/core/entrypoints.ts"
import { AccountNotConnected, InvalidRequest } from "../../../src/domain/error.ts"
import { UserId } from "../../../src/domain/user.ts"
import { call } from "../../../src/rpc/call.ts"
import { GetStatus, PollNow, type PollProgress, RefreshTokens } from "../../../src/rpc/methods.ts"

interface Env {
  readonly POLLEN: Service<typeof GatewayEntrypoint>
}

/** What a caller saw of an error: whether it is one of the class, and its fields. */
const told = (error: unknown, type: new (...parameters: never) => Error) => ({
  isOfClass: error instanceof type,
  error: JSON.parse(JSON.stringify(error)) as unknown,
})

type DeedName = typeof DeedName.Type
const DeedName = Schema.Literals(["refresh", "bad", "poll"])

const deeds: Readonly<Record<DeedName, (env: Env, userId: UserId) => Effect.Effect<unknown, unknown>>> = {
  /** A tagged error of the object. */
  refresh: ({ POLLEN }: Env, userId: UserId) =>
    call(RefreshTokens, (wire) => POLLEN.refreshTokens(wire))({ userId, provider: "youtube" }).pipe(
      Effect.flip,
      Effect.map((error) => told(error, AccountNotConnected)),
    ),
  /** A payload that the contract does not allow, sent all the same. */
  bad: ({ POLLEN }: Env, userId: UserId) =>
    call(GetStatus, () => POLLEN.getStatus({ userId: 7 } as never))({ userId }).pipe(
      Effect.flip,
      Effect.map((error) => told(error, InvalidRequest)),
    ),
  /** Polls with a progress callback, which is a function that crosses. */
  poll: ({ POLLEN }: Env, userId: UserId) => {
    const progress: Array<PollProgress> = []
    const listen = (one: PollProgress) => void progress.push(one)
    return Effect.map(call(PollNow, (wire) => POLLEN.pollNow(wire, listen))({ userId }), (summary) => ({
      summary,
      progress,
    }))
  },
}

/** `/<deed>?user=<id>` does it and answers with what came of it. */
export default {
  fetch: (request, env) => {
    const { pathname, searchParams } = new URL(request.url)
    const deed = deeds[Schema.decodeUnknownSync(DeedName)(pathname.slice(1))]
    return Effect.runPromise(Effect.map(deed(env, UserId.make(searchParams.get("user") ?? "ada")), Response.json))
  },
} satisfies ExportedHandler<Env>

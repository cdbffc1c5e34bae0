import { Effect, Layer, Option, Schema } from "effect"
import { HttpRouter, type HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { longestSignature } from "../../rpc/push.ts"
import { Core } from "../Core.ts"

// Where WebSub asks and pushes (https://www.w3.org/TR/websub, 5.3 and 7). Not of the API that people and apps use: the hub's own protocol
// says what is asked and answered, and nobody is named in it.

/** A channel's id: https://developers.google.com/youtube/v3/docs/channels. Nothing else is looked up. */
const path = /^\/websub\/youtube\/(UC[\w-]{22})$/

/** Whether a path is one of WebSub's. */
export const isWebSub = (pathname: string): boolean => path.test(pathname)

const channelOf = ({ pathname }: URL): Option.Option<string> => Option.fromNullishOr(path.exec(pathname)?.[1])

const nothing = (status: number) => HttpServerResponse.empty({ status })

const decodeMode = Schema.decodeUnknownOption(Schema.Literals(["subscribe", "unsubscribe", "denied"]))

/** Longest challenge that is echoed, in characters. */
const longestChallenge = 1024

/** The hub asks whether we have asked: 404 says no, and the challenge says yes. */
const confirm = Effect.fnUntraced(function* (core: Core["Service"]) {
  const url = new URL((yield* HttpServerRequest.HttpServerRequest).originalUrl)
  const query = url.searchParams
  const channel = channelOf(url)
  const mode = decodeMode(query.get("hub.mode"))
  const challenge = query.get("hub.challenge") ?? ""
  const topic = query.get("hub.topic") ?? ""
  if (Option.isNone(channel) || Option.isNone(mode) || challenge.length > longestChallenge) return nothing(404)
  const lease = Number(query.get("hub.lease_seconds") ?? "0")
  const leaseSeconds = Number.isSafeInteger(lease) ? lease : 0
  const { isWanted } = yield* core.confirmPushes({ sourceId: channel.value, mode: mode.value, topic, leaseSeconds })
  // Told as text and nothing else: what the challenge says is not ours.
  return isWanted
    ? HttpServerResponse.text(challenge, { headers: { "x-content-type-options": "nosniff" } })
    : nothing(404)
})

/** A push without a signature is nobody's. One whose signature is wrong is answered like a good one (https://www.w3.org/TR/websub, 7.1.2). */
const push = Effect.fnUntraced(function* (core: Core["Service"]) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const channel = channelOf(new URL(request.originalUrl))
  const signature = request.headers["x-hub-signature"]
  if (Option.isNone(channel)) return nothing(404)
  if (signature === undefined || signature.length > longestSignature) return nothing(204)
  const body = yield* request.text
  const { isWanted } = yield* core.takePush({ sourceId: channel.value, signature, body })
  // 410: nobody follows the channel any more, and the hub may end its pushes.
  return nothing(isWanted ? 204 : 410)
})

/** What cannot be passed on is asked and pushed again. */
const orLater = <R>(
  answer: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    HttpServerError.HttpServerError | Effect.Error<ReturnType<Core["Service"]["takePush"]>>,
    R
  >,
) =>
  Effect.catchIf(
    answer,
    (error) => error._tag !== "HttpServerError",
    (error) => Effect.as(Effect.logWarning("A push could not be passed on", error.message), nothing(503)),
  )

export const webSubLayer = Layer.unwrap(
  Effect.map(Core, (core) =>
    HttpRouter.addAll([
      HttpRouter.route("GET", "/websub/youtube/:channel", orLater(confirm(core))),
      HttpRouter.route("POST", "/websub/youtube/:channel", orLater(push(core))),
    ]),
  ),
)

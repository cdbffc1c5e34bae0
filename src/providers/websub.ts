import { Effect, Result } from "effect"
import { Hex } from "effect/encoding"
import { ProviderUnavailable } from "../domain/error.ts"
import type { ProviderHttp } from "./ProviderHttp.ts"

// WebSub (https://www.w3.org/TR/websub) as Google's hub speaks it: version 0.4 of PubSubHubbub, with signatures by SHA-1.

/** How long pushes are asked for, in seconds: 10 days, the longest that Google's hub gives. */
const leaseSeconds = 10 * 24 * 3600

/** The topic of a channel: the address of its feed. */
export const topicOf = (feedUrl: string, channelId: string): string =>
  `${feedUrl}?${new URLSearchParams({ channel_id: channelId })}`

/** The path of the gateway at which pushes of a channel arrive. */
const callbackPath = (channelId: string): string => `/websub/youtube/${encodeURIComponent(channelId)}`

export interface PushAddresses {
  /** Of the WebSub hub, of channels' feeds, and of our gateway. */
  readonly pushUrl: string
  readonly feedUrl: string
  readonly publicUrl: string
}

/**
 * Makes a function that asks for the pushes of a channel. That the hub takes the request promises nothing: it asks the callback whether
 * the request was ours, and only then pushes. It answers 503 for hours at times (https://github.com/SeoulSKY/ytnoti/issues/8).
 */
export const pushRequests =
  ({ pushUrl, feedUrl, publicUrl }: PushAddresses, timeoutMs: number, http: Pick<ProviderHttp["Service"], "counted">) =>
  (channelId: string, secret: string): Effect.Effect<void, ProviderUnavailable> => {
    const unavailable = (reason: string) => new ProviderUnavailable({ provider: "youtube", reason, retryAt: null })
    const body = new URLSearchParams({
      "hub.mode": "subscribe",
      "hub.topic": topicOf(feedUrl, channelId),
      "hub.callback": `${publicUrl}${callbackPath(channelId)}`,
      "hub.lease_seconds": String(leaseSeconds),
      "hub.secret": secret,
      "hub.verify": "async",
    })
    // The cause of a failed request is dropped: it may hold the request, and the request holds the secret.
    const asked = Effect.tryPromise({
      try: async (signal) => {
        const timeout = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
        const response = await fetch(pushUrl, { method: "POST", body, redirect: "manual", signal: timeout })
        await response.body?.cancel()
        return response.status
      },
      catch: () => unavailable("its WebSub hub did not answer"),
    })
    return http
      .counted("youtube", asked)
      .pipe(
        Effect.flatMap((status) =>
          status >= 200 && status < 300 ? Effect.void : Effect.fail(unavailable(`its WebSub hub answered ${status}`)),
        ),
      )
  }

const algorithms: Readonly<Record<string, string>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
}

/** Whether a push is signed with the secret: `X-Hub-Signature` is `method=hex` (https://www.w3.org/TR/websub, 8). Compared in constant time. */
export const isSigned = (secret: string, signature: string, body: string): Effect.Effect<boolean> => {
  const [method = "", hex = ""] = signature.split("=")
  const hash = algorithms[method]
  const sent = Hex.decode(hex)
  if (hash === undefined || Result.isFailure(sent)) return Effect.succeed(false)
  const text = new TextEncoder()
  return Effect.promise(async () => {
    const key = await crypto.subtle.importKey("raw", text.encode(secret), { name: "HMAC", hash }, false, ["verify"])
    return crypto.subtle.verify("HMAC", key, new Uint8Array(sent.success), text.encode(body))
  })
}

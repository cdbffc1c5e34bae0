import { Context, Effect, Layer, Runtime, Schema } from "effect"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { LocalStack } from "./LocalStack.ts"

/** The gateway did not answer as it should. */
export class GatewayRefused extends Schema.TaggedError<GatewayRefused>()("GatewayRefused", {
  message: Schema.String,
}) {
  override readonly [Runtime.errorExitCode] = 1
}

/** The part of `fetch` that is needed to ask a worker. */
export type Send = (
  url: string,
  init: {
    readonly method: string
    readonly headers?: Record<string, string>
    readonly body?: string | null
    readonly signal?: AbortSignal
  },
) => Promise<{ readonly status: number; readonly text: () => Promise<string> }>

/** The gateway over HTTP, called as any program calls it. */
export class Gateway extends Context.Service<
  Gateway,
  {
    readonly bearer: (userId: string) => Effect.Effect<string>
    /** Sends a request of one person; `path` begins with a slash. */
    readonly request: (
      userId: string,
      method: "GET" | "PUT" | "POST",
      path: string,
      body?: unknown,
    ) => Effect.Effect<unknown, GatewayRefused>
  }
>()("pollen/cli/Gateway") {
  static readonly layer = Layer.unwrap(
    Effect.map(LocalStack, ({ url, keys }) => Gateway.layerAt(url, keys.GATEWAY_KEY)),
  )

  /** The gateway at an address, with the key that signs its bearer tokens; `send` makes the requests. */
  static readonly layerAt = (url: string, key: string, send: Send = fetch): Layer.Layer<Gateway> =>
    Layer.sync(Gateway, () => {
      const bearer = (userId: string) => Effect.promise(() => issueBearer(key, userId))
      const request = Effect.fn("Gateway.request")(function* (
        userId: string,
        method: "GET" | "PUT" | "POST",
        path: string,
        body?: unknown,
      ) {
        const authorization = `Bearer ${yield* bearer(userId)}`
        const { status, text } = yield* Effect.tryPromise({
          try: async (signal) => {
            const response = await send(`${url}${path}`, {
              method,
              headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
              body: body === undefined ? null : JSON.stringify(body),
              signal,
            })
            return { status: response.status, text: await response.text() }
          },
          catch: (error) => new GatewayRefused({ message: `${method} ${path}: ${String(error)}` }),
        })
        if (status >= 300) return yield* new GatewayRefused({ message: `${method} ${path}: ${status} ${text}` })
        return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))(text).pipe(
          Effect.mapError(() => new GatewayRefused({ message: `${method} ${path}: an answer that is not JSON` })),
        )
      })
      return { bearer, request }
    })
}

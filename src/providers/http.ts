import { Context, Duration, Effect, Layer, Redacted, Ref, Schedule, Semaphore } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { AccessToken } from "./provider.ts"

/** Requests of one person under way at once: a Worker invocation has 6 connections. */
const concurrentRequests = 6

/** Quick second and third tries of a request that reads, for what passes within a second. The rest waits for the alarm. */
const quickRetries = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

const untraced = Context.make(HttpClient.TracerDisabledWhen, () => true).pipe(
  Context.add(HttpClient.TracerPropagationEnabled, false),
)

/** An answer of a provider's API. `body` is `undefined` where there is none (304). */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
}

export interface ApiRequest {
  readonly provider: Provider
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly token: AccessToken
  readonly etag: string | null
}

/**
 * One person's way to the providers: at most 6 requests at once, each bounded in time and counted. Statuses below 500 are
 * answers; everything else (5xx, no answer, an answer that cannot be read) is `ProviderUnavailable` after a quick retry.
 */
export class ProviderHttp extends Context.Service<
  ProviderHttp,
  {
    readonly get: (request: ApiRequest) => Effect.Effect<Answer, ProviderUnavailable>
    /** Runs a request made by other means within the same limit and count. */
    readonly counted: <A, E>(provider: Provider, request: Effect.Effect<A, E>) => Effect.Effect<A, E>
    /** Requests made to a provider since the object started. */
    readonly requests: (provider: Provider) => Effect.Effect<number>
  }
>()("pollen/providers/ProviderHttp") {
  static readonly layer = (timeoutMs: number): Layer.Layer<ProviderHttp> =>
    Layer.effect(
      ProviderHttp,
      Effect.gen(function* () {
        // A provider has no use for our trace ids, and a span would hold the request's headers.
        const client = (yield* HttpClient.HttpClient).pipe(
          HttpClient.transformResponse(Effect.provideContext(untraced)),
        )
        const permits = yield* Semaphore.make(concurrentRequests)
        const counts = { spotify: yield* Ref.make(0), youtube: yield* Ref.make(0) }

        const counted = <A, E>(provider: Provider, request: Effect.Effect<A, E>) =>
          permits.withPermit(
            Effect.andThen(
              Ref.update(counts[provider], (count) => count + 1),
              request,
            ),
          )

        const get = Effect.fnUntraced(function* ({ provider, url, query, token, etag }: ApiRequest) {
          const unavailable = (reason: string) => new ProviderUnavailable({ provider, reason, retryAt: null })
          const request = HttpClientRequest.get(url, {
            urlParams: query,
            headers: {
              accept: "application/json",
              authorization: `Bearer ${Redacted.value(token)}`,
              ...(etag === null ? {} : { "if-none-match": etag }),
            },
          })
          // The cause of a failed request is dropped: it holds the request, and the request holds the token.
          const answer = client.execute(request).pipe(
            Effect.mapError(() => unavailable("no answer")),
            Effect.flatMap((response): Effect.Effect<Answer, ProviderUnavailable> => {
              if (response.status >= 500) return Effect.fail(unavailable(`answered ${response.status}`))
              if (response.status === 304) {
                return Effect.succeed({ status: 304, headers: response.headers, body: undefined })
              }
              return response.json.pipe(
                Effect.map((body) => ({ status: response.status, headers: response.headers, body })),
                // An error without a readable body is still told by its status.
                Effect.catch(() =>
                  response.status >= 400
                    ? Effect.succeed({ status: response.status, headers: response.headers, body: undefined })
                    : Effect.fail(unavailable("the answer could not be read")),
                ),
              )
            }),
            Effect.timeoutOrElse({
              duration: Duration.millis(timeoutMs),
              orElse: () => Effect.fail(unavailable(`no answer within ${timeoutMs} ms`)),
            }),
          )
          return yield* Effect.retry(counted(provider, answer), quickRetries)
        })

        return { get, counted, requests: (provider: Provider) => Ref.get(counts[provider]) }
      }),
    ).pipe(Layer.provide(FetchHttpClient.layer))
}

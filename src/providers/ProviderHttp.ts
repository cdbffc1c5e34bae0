import { Context, Effect, Layer, Redacted, Ref, Schedule, Semaphore } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { AccessToken } from "./provider.ts"

/** Requests of one person under way at once: a Worker invocation has 6 connections. */
const concurrentRequests = 6

/** Quick second and third tries of a request that reads, for what passes within a second. The rest waits for the alarm. */
const quickRetries = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** An answer of a provider's API. `body` is `undefined` where there is none (304), or none that can be read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
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
 * Makes a request by the platform's own `fetch`: an HTTP client made for every need costs more than the rest of a poll. A provider
 * has no use for our trace ids, and a span would hold the token.
 */
const ask = async ({ url, query, token, etag }: ApiRequest, signal: AbortSignal): Promise<Answer> => {
  const accept = { accept: "application/json", authorization: `Bearer ${Redacted.value(token)}` }
  const response = await fetch(`${url}?${new URLSearchParams(query)}`, {
    headers: etag === null ? accept : { ...accept, "if-none-match": etag },
    signal,
  })
  const { status, headers } = response
  if (status === 304 || status >= 500) {
    await response.body?.cancel()
    return { status, headers, body: undefined }
  }
  const body = await response.json<unknown>().catch(() => undefined)
  signal.throwIfAborted()
  return { status, headers, body }
}

/**
 * Lets go of requests when their time is over. One timer of the platform's for all that are under way, since a race of two fibers, or
 * a timer, for every request costs as much as the rest of it; and none when there is nothing to wait for, which would keep an object awake.
 */
const makeDeadlines = (ms: number) => {
  const underway = new Map<AbortController, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    const now = Date.now()
    for (const [request, until] of underway) {
      if (until <= now) request.abort(new DOMException("", "TimeoutError"))
    }
    const next = underway.values().find((until) => until > now)
    timer = next === undefined ? undefined : setTimeout(look, next - now)
  }
  return {
    /** Runs a request with a signal that is aborted when its time is over. */
    within: (work: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> => {
      const request = new AbortController()
      underway.set(request, Date.now() + ms)
      timer ??= setTimeout(look, ms)
      return work(request.signal).finally(() => {
        underway.delete(request)
        if (underway.size > 0) return
        clearTimeout(timer)
        timer = undefined
      })
    },
  }
}

const isTimeout = (thrown: unknown): boolean => thrown instanceof DOMException && thrown.name === "TimeoutError"

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
        const deadlines = makeDeadlines(timeoutMs)
        const permits = yield* Semaphore.make(concurrentRequests)
        const counts = { spotify: yield* Ref.make(0), youtube: yield* Ref.make(0) }

        const counted = <A, E>(provider: Provider, request: Effect.Effect<A, E>) =>
          permits.withPermit(
            Effect.andThen(
              Ref.update(counts[provider], (count) => count + 1),
              request,
            ),
          )

        const get = (request: ApiRequest) => {
          const unavailable = (reason: string) =>
            new ProviderUnavailable({ provider: request.provider, reason, retryAt: null })
          // The cause of a failed request is dropped: it may hold the request, and the request holds the token.
          const answer = Effect.tryPromise({
            try: () => deadlines.within((signal) => ask(request, signal)),
            catch: (thrown) => unavailable(isTimeout(thrown) ? `no answer within ${timeoutMs} ms` : "no answer"),
          }).pipe(
            Effect.filterOrFail(
              ({ status }) => status < 500,
              ({ status }) => unavailable(`answered ${status}`),
            ),
            // An error without a readable body is still told by its status.
            Effect.filterOrFail(
              ({ status, body }) => status >= 300 || body !== undefined,
              () => unavailable("the answer could not be read"),
            ),
          )
          return Effect.retry(counted(request.provider, answer), quickRetries)
        }

        return { get, counted, requests: (provider: Provider) => Ref.get(counts[provider]) }
      }),
    )
}

import { Context, Effect, Layer, Redacted, Ref, Schedule, Semaphore } from "effect"
import { ProviderUnavailable, type RateLimited } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { countingSubrequest } from "../domain/subrequests.ts"
import { BodyTooLong, isRedirect, readJson, readText } from "./body.ts"
import { Permits } from "./Permits.ts"
import type { AccessToken } from "./provider.ts"

/** Requests of one person under way at once: a Worker invocation has 6 connections. */
const concurrentRequests = 6

/** Two quick retries of a request that reads, for what passes within a second. The rest waits for the alarm. */
const quickRetries = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** An answer of a provider's API. `body` is `undefined` when there is none (304), or none that can be read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** An answer that is none. */
interface Failure {
  readonly failure: string
  /** Whether it would be the same a moment later, so that a quick retry is of no use. */
  readonly isLasting: boolean
}
const passing = (failure: string): Failure => ({ failure, isLasting: false })
const lasting = (failure: string): Failure => ({ failure, isLasting: true })
const isFailure = (answered: Answer | Failure): answered is Failure => "failure" in answered

export interface ApiRequest {
  readonly provider: Provider
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  /** `null` for what is public. */
  readonly token: AccessToken | null
  readonly etag: string | null
  /** Whether the answer is to be left as text, in place of JSON. */
  readonly isText?: boolean
}

/** The kind of token that requests bring: a person's, or the application's own API key for what is public. */
export type Credential = "bearer" | "apiKey"

/** The header that carries a token. For API keys: https://docs.cloud.google.com/docs/authentication/api-keys-use#using-with-rest */
const authorization = (token: AccessToken | null, credential: Credential): Readonly<Record<string, string>> => {
  if (token === null) return {}
  const text = Redacted.value(token)
  return credential === "apiKey" ? { "x-goog-api-key": text } : { authorization: `Bearer ${text}` }
}

/**
 * Makes a request with the platform's own `fetch`: a general HTTP client costs more than the rest of a poll. A provider has no use for
 * our trace ids, and a span would hold the token.
 */
const ask = async (request: ApiRequest, credential: Credential, signal: AbortSignal): Promise<Answer | Failure> => {
  const { url, query, token, etag, isText = false } = request
  const accept = { accept: isText ? "text/xml" : "application/json", ...authorization(token, credential) }
  const response = await fetch(`${url}?${new URLSearchParams(query)}`, {
    headers: etag === null ? accept : { ...accept, "if-none-match": etag },
    redirect: "manual",
    signal,
  })
  const { status, headers } = response
  if (status === 304 || status >= 500 || isRedirect(response)) {
    await response.body?.cancel()
    if (status === 304) return { status, headers, body: undefined }
    return isRedirect(response) ? lasting(`answered ${status}, which is not followed`) : passing(`answered ${status}`)
  }
  const read = isText ? readText : readJson
  const body = await read(response).catch((thrown: unknown) => (thrown instanceof BodyTooLong ? thrown : undefined))
  signal.throwIfAborted()
  if (body instanceof BodyTooLong) return lasting(body.message)
  // An error without a readable body is still told by its status.
  return status < 300 && body === undefined ? passing("the answer could not be read") : { status, headers, body }
}

/**
 * Aborts requests when their time is over. All requests under way share one timer of the platform's, since a timer or a race of two
 * fibers for each costs as much as the rest of it. Without a request there is no timer, which would keep the object awake.
 */
const makeDeadlines = (ms: number) => {
  const underway = new Map<AbortController, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const abortExpired = () => {
    const now = Date.now()
    for (const [request, until] of underway) {
      if (until <= now) request.abort(new DOMException("", "TimeoutError"))
    }
    const next = underway.values().find((until) => until > now)
    timer = next === undefined ? undefined : setTimeout(abortExpired, next - now)
  }
  return {
    /** Runs a request with a signal that is aborted when its time is over. */
    within: <A>(work: (signal: AbortSignal) => Promise<A>): Promise<A> => {
      const request = new AbortController()
      underway.set(request, Date.now() + ms)
      timer ??= setTimeout(abortExpired, ms)
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
 * Makes one person's requests to the providers: at most 6 at once, each bounded in time and size, and counted. Statuses below 500 are
 * answers; everything else (5xx, no answer, an answer that cannot be read) is `ProviderUnavailable` after quick retries. So are, without
 * any retry, redirects, since the token is for the address that the operator set, and answers that are too large.
 */
export class ProviderHttp extends Context.Service<
  ProviderHttp,
  {
    /** Requests with a token are made out of the application's budget: `RateLimited` where that has none. */
    readonly get: (request: ApiRequest) => Effect.Effect<Answer, ProviderUnavailable | RateLimited>
    /** Tells the budget what a provider asked the whole application for. */
    readonly tell: (limited: RateLimited) => Effect.Effect<void>
    /** Runs a request that is made by other means, within the same limit and count. */
    readonly counted: <A, E>(provider: Provider, request: Effect.Effect<A, E>) => Effect.Effect<A, E>
    /** Counts the requests made to a provider since the object started. */
    readonly requests: (provider: Provider) => Effect.Effect<number>
  }
>()("pollen/providers/ProviderHttp") {
  static readonly layer = (timeoutMs: number, credential: Credential = "bearer"): Layer.Layer<ProviderHttp> =>
    Layer.effect(
      ProviderHttp,
      Effect.gen(function* () {
        const deadlines = makeDeadlines(timeoutMs)
        const budget = yield* Permits
        const permits = yield* Semaphore.make(concurrentRequests)
        const counts = { spotify: yield* Ref.make(0), youtube: yield* Ref.make(0) }

        const counted = <A, E>(provider: Provider, request: Effect.Effect<A, E>) =>
          Effect.andThen(
            Ref.update(counts[provider], (count) => count + 1),
            countingSubrequest(request),
          )

        const get = (request: ApiRequest) => {
          const unavailable = (reason: string) =>
            new ProviderUnavailable({ provider: request.provider, reason, retryAt: null })
          // The cause of a failed request is dropped: it may hold the request, and the request holds the token.
          const answer = Effect.tryPromise({
            try: () => deadlines.within((signal) => ask(request, credential, signal)),
            catch: (thrown) => unavailable(isTimeout(thrown) ? `no answer within ${timeoutMs} ms` : "no answer"),
          }).pipe(
            Effect.flatMap((answered) =>
              isFailure(answered) && !answered.isLasting
                ? Effect.fail(unavailable(answered.failure))
                : Effect.succeed(answered),
            ),
          )
          const made = counted(request.provider, answer)
          // What is public and free of quota needs no permit; every try of anything else does.
          const permitted = request.token === null ? made : Effect.andThen(budget.take(request.provider), made)
          return Effect.retry(permits.withPermit(permitted), {
            schedule: quickRetries,
            while: ({ _tag }) => _tag === "ProviderUnavailable",
          }).pipe(
            Effect.flatMap((answered) =>
              isFailure(answered) ? Effect.fail(unavailable(answered.failure)) : Effect.succeed(answered),
            ),
          )
        }

        const limitedAndCounted = <A, E>(provider: Provider, request: Effect.Effect<A, E>) =>
          permits.withPermit(counted(provider, request))
        return {
          get,
          tell: budget.tell,
          counted: limitedAndCounted,
          requests: (provider: Provider) => Ref.get(counts[provider]),
        }
      }),
    )
}

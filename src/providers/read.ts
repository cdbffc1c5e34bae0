import { Clock, Effect, Option, Schema } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { RequestError } from "./error.ts"
import type { Answer, ProviderHttp } from "./ProviderHttp.ts"
import type { AccessToken, NotModified } from "./provider.ts"

/** The decoded answer of a path. */
export interface Read<A> {
  readonly isModified: true
  readonly body: A
  readonly etag: string | null
}

/**
 * Makes functions that read one path of an API and decode its answer. `refuse` turns any status but 200 and 304 into an error;
 * `isPersonal` tells whether a limit concerns one person alone, and not the application. An answer of an unknown shape is an outage: it is retried, and nothing is lost.
 */
export const reader =
  (
    provider: Provider,
    apiUrl: string,
    http: ProviderHttp["Service"],
    refuse: (answer: Answer, now: number) => RequestError,
    isPersonal: (answer: Answer) => boolean = () => false,
  ) =>
  <S extends Schema.Constraint & { readonly DecodingServices: never }>(schema: S) => {
    const decode = Schema.decodeUnknownOption(schema)
    return Effect.fnUntraced(function* (
      token: AccessToken,
      path: string,
      query: Readonly<Record<string, string>>,
      etag: string | null,
    ): Effect.fn.Return<Read<S["Type"]> | NotModified, RequestError> {
      const answer = yield* http.get({ provider, url: `${apiUrl}${path}`, query, token, etag })
      // A 304 that nobody asked for says nothing, and is refused like any other status.
      if (answer.status === 304 && etag !== null) return { isModified: false }
      if (answer.status !== 200) {
        const refusal = refuse(answer, yield* Clock.currentTimeMillis)
        if (refusal._tag === "RateLimited" && !isPersonal(answer)) yield* http.tell(refusal)
        return yield* Effect.fail(refusal)
      }
      const body = decode(answer.body)
      if (Option.isNone(body)) {
        return yield* new ProviderUnavailable({ provider, reason: "the answer has an unknown shape", retryAt: null })
      }
      return { isModified: true, body: body.value, etag: answer.headers.get("etag") }
    })
  }

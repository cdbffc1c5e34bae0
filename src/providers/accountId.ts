import { Effect, Option, Schema } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { AccessTokenRejected } from "./error.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import type { AccessToken, ProviderEndpoints } from "./provider.ts"

const Own = Schema.Struct({ id: Schema.String })
const OwnList = Schema.Struct({ items: Schema.NonEmptyArray(Own) })

/** Where each provider tells whose token it is (YouTube: 1 unit), and how its answer is read. */
const whoami = {
  spotify: { path: "/me", query: {}, read: Schema.decodeUnknownOption(Own) },
  youtube: {
    path: "/channels",
    query: { part: "id", mine: "true" },
    read: (body: unknown) => Option.map(Schema.decodeUnknownOption(OwnList)(body), ({ items: [own] }) => own),
  },
} as const

/** Reads the provider's id of the account that an access token acts for. */
export const readAccountId = Effect.fn("readAccountId")(function* (
  provider: Provider,
  { apiUrl }: Pick<ProviderEndpoints, "apiUrl">,
  token: AccessToken,
) {
  const http = yield* ProviderHttp
  const { path, query, read } = whoami[provider]
  const { status, body } = yield* http.get({ provider, url: `${apiUrl}${path}`, query, token, etag: null })
  if (status === 401) return yield* new AccessTokenRejected({ provider })
  const own = status === 200 ? read(body) : Option.none()
  if (Option.isSome(own)) return own.value.id
  return yield* new ProviderUnavailable({ provider, reason: "it does not tell whose token it is", retryAt: null })
})

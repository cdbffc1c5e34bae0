import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { AccountState, GivenTokens, TokenSet } from "../../domain/token.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"

/** A year: no provider's access token lives as long, and milliseconds sent as seconds are caught. */
const expiresInMaximum = 31_536_000

/** As token endpoints give it: scopes separated by spaces. */
const SpaceSeparated = Schema.String.pipe(Schema.check(Schema.isMaxLength(10_000)))

/** What a token endpoint answered, with its names in camel case. The access token's end is a moment or a time from now. */
export const ConnectAccount = Schema.Struct({
  accessToken: TokenSet.fields.accessToken,
  /** Left out where the consent brought none: the one that there is stays, where it is of the same account. */
  refreshToken: GivenTokens.fields.refreshToken,
  /** Epoch milliseconds. */
  expiresAt: Schema.optionalKey(TokenSet.fields.expiresAt),
  /** Seconds from now. */
  expiresIn: Schema.optionalKey(
    Schema.Int.pipe(
      Schema.check(
        Schema.isBetween(
          { minimum: 1, maximum: expiresInMaximum },
          { message: `must be seconds, 1 to ${expiresInMaximum}` },
        ),
      ),
    ),
  ),
  scope: Schema.Union([TokenSet.fields.scope, SpaceSeparated]),
  /** When the person authorized the grant: epoch milliseconds; now unless given, `null` where nobody knows. */
  authorizedAt: TokenSet.fields.authorizedAt,
  /** The operator's name of the OAuth client that the grant was issued to; the default one unless given. */
  client: TokenSet.fields.client,
  /** Whether the grant is tried with one request before it takes the place of one that works: true unless given. */
  isProbed: Schema.optionalKey(Schema.Boolean),
}).pipe(
  Schema.check(
    Schema.makeFilter(({ expiresAt, expiresIn }) =>
      (expiresAt === undefined) === (expiresIn === undefined)
        ? { path: ["expiresAt"], issue: "exactly one of expiresAt and expiresIn must be given" }
        : undefined,
    ),
  ),
)
export type ConnectAccount = typeof ConnectAccount.Type

const Validation = Schema.Struct({
  accounts: Schema.Array(
    Schema.Struct({
      provider: Provider,
      isValid: Schema.Boolean,
      /** Why not, or why it is unknown; `null` when valid. */
      reason: Schema.NullOr(Schema.String),
    }),
  ),
})

export class Accounts extends HttpApiGroup.make("accounts")
  .add(
    HttpApiEndpoint.put("connectAccount", "/v1/accounts/:provider/token", {
      params: { provider: Provider },
      payload: ConnectAccount,
      success: Schema.Struct({ provider: Provider, state: AccountState, generation: Schema.Int }),
      error: [problemDocument(413), problemDocument(415), problemDocument(503)],
    }),
    HttpApiEndpoint.delete("disconnectAccount", "/v1/accounts/:provider", {
      params: { provider: Provider },
      success: Schema.Struct({ provider: Provider, removed: Schema.Boolean }),
      error: problemDocument(503),
    }),
    HttpApiEndpoint.post("validateAccounts", "/v1/accounts/validate", {
      success: Validation,
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}

import { Option, Redacted, Schema } from "effect"
import { Provider } from "../domain/provider.ts"
import { Holder, Stage } from "../domain/stage.ts"
import { AccountState, Secret, TokenSet } from "../domain/token.ts"

// The row of user_accounts: its columns under the names of the fields, and how it is decoded. Nothing else reads or names them.

/** One account of one person. The user id is whatever the row says: it may be one that no object can have. */
export interface AccountKey {
  readonly userId: string
  readonly provider: Provider
}

/** A token to make requests with; `generation` tells which version of the grant it is of. */
export interface UsableToken {
  readonly accessToken: Redacted.Redacted<string>
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly generation: number
}

/** How an account is told from others in a map. */
export const keyOf = ({ userId, provider }: AccountKey): string => `${provider} ${userId}`

/** When the person authorized the grant (epoch milliseconds), and the name of its OAuth client: no secrets, and not dropped. */
const lifeFields = { authorizedAt: Schema.NullOr(Schema.Int), client: Schema.NullOr(Schema.String) }

/** Of every row: whose account it is, who holds it, and how it is. */
const accountFields = {
  userId: Schema.String,
  isActive: Schema.BooleanFromBit,
  state: AccountState,
  holder: Holder,
  epoch: Schema.Int,
  generation: Schema.Int,
  ...lifeFields,
  /** See `GrantPast`. */
  refusals: Schema.Int,
  refreshRetryAt: Schema.NullOr(Schema.Int),
}
const ownColumns = `user_accounts.user_id AS userId, user_accounts.provider, is_active AS isActive, user_accounts.state, holder, epoch,
  generation, authorized_at AS authorizedAt, user_accounts.client, refusals, refresh_retry_at AS refreshRetryAt`

/** Until when somebody refreshes the grant, and until when nobody may begin to: epoch milliseconds. */
const claimFields = { claimedUntil: Schema.NullOr(Schema.Int), fencedUntil: Schema.NullOr(Schema.Int) }
const claimColumns = "refresh_claimed_until AS claimedUntil, fenced_until AS fencedUntil"

const tokenColumns = "access_token AS accessToken, refresh_token AS refreshToken, expires_at AS expiresAt, scope"

/** The columns that {@link tokensOf} reads. */
export const grantColumns = `${tokenColumns}, authorized_at AS authorizedAt, client`

/** An account without its grant: the columns of the grant may have been dropped. */
export const AccountRow = Schema.Struct({
  ...accountFields,
  provider: Provider,
  /** Of the person. */
  stage: Stage,
})
export type AccountRow = typeof AccountRow.Type

/** The columns of an {@link AccountRow}; the rest of the statement says of whom. */
export const accountColumns = `${ownColumns},
  coalesce((SELECT stage FROM token_migration_status status WHERE status.user_id = user_accounts.user_id), 'off') AS stage`

/** An account that D1 holds, with what D1 has of its grant: anything may be missing in a row that something else wrote. */
export const HeldRow = Schema.Struct({
  ...AccountRow.fields,
  ...claimFields,
  accessToken: Schema.NullOr(Secret),
  refreshToken: Schema.NullOr(Secret),
  /** Epoch milliseconds. */
  expiresAt: Schema.NullOr(Schema.Int),
  scope: Schema.NullOr(Schema.String),
  /** When the row was last written, at the latest that is when the token was issued; `null` where something else wrote it. */
  updatedAt: Schema.NullOr(Schema.Int),
})
export type HeldRow = typeof HeldRow.Type

/** The columns of a {@link HeldRow}. */
export const heldColumns = `${accountColumns}, ${tokenColumns}, ${claimColumns},
  CASE WHEN typeof(user_accounts.updated_at) = 'integer' THEN user_accounts.updated_at END AS updatedAt`

/** A grant as a row has it, whatever that is. */
const storedFields = {
  accessToken: Schema.Unknown,
  refreshToken: Schema.Unknown,
  expiresAt: Schema.Unknown,
  scope: Schema.Unknown,
}
const StoredGrant = Schema.Struct({ ...storedFields, ...lifeFields })

/** An account as far as every row can be read, also one that something else wrote; {@link tokensOf} reads the rest. */
export const StoredAccount = Schema.Struct({
  ...accountFields,
  ...claimFields,
  ...storedFields,
  provider: Schema.String,
})
export type StoredAccount = typeof StoredAccount.Type

/** The columns of a {@link StoredAccount}. */
export const storedColumns = `${ownColumns}, ${claimColumns}, ${tokenColumns}`

/** The columns of a {@link StoredAccount} once those of the grant have been dropped. */
export const storedColumnsWithoutGrant = `${ownColumns}, ${claimColumns}, NULL AS accessToken, NULL AS refreshToken,
  NULL AS expiresAt, NULL AS scope`

/** Scopes are separated by spaces. */
export const scopesOf = (text: string | null): ReadonlyArray<string> =>
  text?.split(" ").filter((scope) => scope !== "") ?? []

const decodeTokens = Schema.decodeUnknownOption(TokenSet)

/** The grant of a row as a whole; `None` where something is missing or cannot be used. */
export const tokensOf = ({
  accessToken,
  refreshToken,
  expiresAt,
  scope,
  authorizedAt,
  client,
}: typeof StoredGrant.Type): Option.Option<TokenSet> =>
  decodeTokens({
    accessToken,
    refreshToken,
    expiresAt,
    scope: typeof scope === "string" || scope === null ? scopesOf(scope) : scope,
    authorizedAt,
    client,
  })

/** A grant as the statements take it, in the clear. */
export const toStored = ({
  accessToken,
  refreshToken,
  expiresAt,
  scope,
  authorizedAt = null,
  client = null,
}: TokenSet) => ({
  accessToken: Redacted.value(accessToken),
  refreshToken: Redacted.value(refreshToken),
  expiresAt,
  scope: scope.join(" "),
  authorizedAt,
  client,
})

export const decodeAccount = Schema.decodeUnknownOption(AccountRow)
export const decodeHeld = Schema.decodeUnknownOption(HeldRow)
export const decodeStored = Schema.decodeUnknownOption(StoredAccount)
const decodeStoredGrant = Schema.decodeUnknownOption(StoredGrant)
export const decodeGrant = (row: unknown): Option.Option<TokenSet> => Option.flatMap(decodeStoredGrant(row), tokensOf)

import { Option, Redacted, Schema } from "effect"
import { Provider } from "../domain/provider.ts"
import { Holder, Stage } from "../domain/stage.ts"
import { AccountState, Secret, TokenSet } from "../domain/token.ts"

// Rows of user_accounts, as this folder reads them; columns come under the names of the fields.

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

const key = { userId: Schema.String, provider: Provider }

/** Who holds an account and how it is, without a token: those columns are not there for ever. */
export const AccountRow = Schema.Struct({
  ...key,
  isActive: Schema.BooleanFromBit,
  state: AccountState,
  holder: Holder,
  epoch: Schema.Int,
  generation: Schema.Int,
  /** Of the person. */
  stage: Stage,
})
export type AccountRow = typeof AccountRow.Type

/** What `AccountRow` is read from; the rest of the statement says of whom. */
export const accountColumns = `user_accounts.user_id AS userId, user_accounts.provider, is_active AS isActive, user_accounts.state, holder, epoch,
  generation, coalesce((SELECT stage FROM token_migration_status status WHERE status.user_id = user_accounts.user_id), 'off') AS stage`

/** What D1 has of a grant. Anything may be missing in a row that something else wrote. */
const StoredGrant = Schema.Struct({
  accessToken: Schema.NullOr(Secret),
  refreshToken: Schema.NullOr(Secret),
  /** Epoch milliseconds. */
  expiresAt: Schema.NullOr(Schema.Int),
  scope: Schema.NullOr(Schema.String),
})

export const grantColumns = "access_token AS accessToken, refresh_token AS refreshToken, expires_at AS expiresAt, scope"

/** An account that D1 holds, with its grant. */
export const HeldRow = Schema.Struct({
  ...AccountRow.fields,
  ...StoredGrant.fields,
  /** Until when somebody is refreshing it, and until when nobody may begin to: epoch milliseconds. */
  claimedUntil: Schema.NullOr(Schema.Int),
  fencedUntil: Schema.NullOr(Schema.Int),
})
export type HeldRow = typeof HeldRow.Type

export const heldColumns = `${accountColumns}, ${grantColumns}, refresh_claimed_until AS claimedUntil, fenced_until AS fencedUntil`

/** Scopes are separated by spaces. */
export const scopesOf = (text: string | null): ReadonlyArray<string> =>
  text?.split(" ").filter((scope) => scope !== "") ?? []

/** The grant of a row as a whole; `None` where something is missing. */
export const toTokenSet = (row: typeof StoredGrant.Type): Option.Option<TokenSet> =>
  row.accessToken === null || row.refreshToken === null || row.expiresAt === null
    ? Option.none()
    : Option.liftPredicate(Schema.is(TokenSet))({
        accessToken: row.accessToken,
        refreshToken: row.refreshToken,
        expiresAt: row.expiresAt,
        scope: scopesOf(row.scope),
      })

/** A grant as the statements take it, in the clear. */
export const toStored = ({ accessToken, refreshToken, expiresAt, scope }: TokenSet) => ({
  accessToken: Redacted.value(accessToken),
  refreshToken: Redacted.value(refreshToken),
  expiresAt,
  scope: scope.join(" "),
})

export const decodeAccount = Schema.decodeUnknownOption(AccountRow)
export const decodeHeld = Schema.decodeUnknownOption(HeldRow)
export const decodeStored = Schema.decodeUnknownOption(StoredGrant)

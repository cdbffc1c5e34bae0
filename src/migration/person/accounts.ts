import { Effect, Option, Result, Schema } from "effect"
import { Provider } from "../../domain/provider.ts"
import type { AccountState, TokenSet } from "../../domain/token.ts"
import { decodeStored, type StoredAccount, storedColumns, tokensOf } from "../../move/account.ts"
import { Database, type Statement, statement } from "../Database.ts"
import { failed, type StepFailed } from "./reason.ts"

/** The condition that D1 has an account of a person still: nothing is written of one who was erased meanwhile. `userId` is SQL. */
export const isKnown = (userId: string): string =>
  `EXISTS (SELECT 1 FROM user_accounts known WHERE known.user_id = ${userId})`

/** A row of `user_accounts`, as the migrator looks at it account by account. */
export type AccountRow = StoredAccount

const decodeProvider = Schema.decodeUnknownOption(Provider)

/** The accounts of one person; `null` stands for a row that cannot be read at all. */
export type AccountsOf = ReadonlyMap<string, ReadonlyArray<AccountRow | null>>

export const groupAccounts = (rows: ReadonlyArray<Record<string, unknown>>): AccountsOf => {
  const accounts = new Map<string, Array<AccountRow | null>>()
  for (const row of rows) {
    const userId = String(row["userId"])
    const known = accounts.get(userId) ?? []
    known.push(Option.getOrNull(decodeStored(row)))
    accounts.set(userId, known)
  }
  return accounts
}

const selectAccounts = (userIds: ReadonlyArray<string>): Statement =>
  statement(
    `SELECT ${storedColumns} FROM json_each(?1) wanted JOIN user_accounts ON user_accounts.user_id = wanted.value`,
    JSON.stringify(userIds),
  )

/** All accounts of these people, with their tokens. One statement. */
export const readAccounts = Effect.fn("readAccounts")(function* (userIds: ReadonlyArray<string>) {
  const database = yield* Database
  if (userIds.length === 0) return new Map() as AccountsOf
  return groupAccounts(yield* database.rows("accounts", selectAccounts(userIds)))
})

/** A grant as D1 has it. */
export interface Grant {
  readonly provider: Provider
  readonly epoch: number
  readonly generation: number
  readonly state: AccountState
  readonly tokens: TokenSet
}

/** What of a grant goes to the object. `tokens` is `null` where nothing is left but that the person has to connect again. */
export interface Carried extends Omit<Grant, "tokens"> {
  readonly tokens: TokenSet | null
}

const isEmpty = (value: unknown): boolean => value === null || value === ""

/** Whether an account has nothing for anybody to use: the person has disconnected it. */
export const isDisconnected = ({ isActive, state }: AccountRow): boolean => !isActive || state === "disconnected"

/** pollen's name of the account's provider; `None` for one that it does not know. */
export const providerOf = ({ provider }: AccountRow): Option.Option<Provider> => decodeProvider(provider)

/** A stored grant as it is, whatever the state of its account; `None` where D1 has none that could be used. */
export const storedGrant = (row: AccountRow): Option.Option<Grant> =>
  Option.all([providerOf(row), tokensOf(row)]).pipe(
    Option.map(([provider, tokens]) => {
      const { epoch, generation, state } = row
      return { provider, epoch, generation, state, tokens }
    }),
  )

/** An account with the tokens that D1 has of it; `null` where it has none that could be used. */
export const withTokens = (row: AccountRow) => ({
  provider: row.provider,
  holder: row.holder,
  epoch: row.epoch,
  state: row.state,
  tokens: Option.getOrNull(tokensOf(row)),
})

const whyNotGrant = (row: AccountRow): StepFailed => {
  if (isEmpty(row.accessToken)) return failed("no_access_token", row.provider)
  if (isEmpty(row.refreshToken)) return failed("no_refresh_token", row.provider)
  if (row.expiresAt === null) return failed("no_expiry", row.provider)
  return failed("unreadable_row", row.provider)
}

/**
 * What of an account goes to the object: nothing (`null`) of one that is disconnected; and of one that the provider has refused only
 * what can be read, since nothing of it is used before the person connects again. Of any other the grant must be whole.
 */
export const toCarry = (row: AccountRow): Result.Result<Carried | null, StepFailed> => {
  if (isDisconnected(row)) return Result.succeed(null)
  const provider = providerOf(row)
  if (Option.isNone(provider)) return Result.fail(failed("unknown_provider", row.provider))
  const grant = storedGrant(row)
  if (Option.isSome(grant)) return Result.succeed(grant.value)
  const { epoch, generation, state } = row
  return state === "reauthorization_required"
    ? Result.succeed({ provider: provider.value, epoch, generation, state, tokens: null })
    : Result.fail(whyNotGrant(row))
}

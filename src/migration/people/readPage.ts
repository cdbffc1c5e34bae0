import { Effect, Option, Schema } from "effect"
import { UserId } from "../../domain/user.ts"
import { storedColumns, storedColumnsWithoutGrant } from "../../move/account.ts"
import { readTokenColumns, tokenColumns } from "../contract/tokenColumns.ts"
import { Database, statement } from "../Database.ts"
import { type Candidate, candidatesAfter, decodeCandidates } from "../page/candidates.ts"
import { groupAccounts } from "../person/accounts.ts"
import type { Person } from "../person/PersonInMove.ts"
import { type StepFailed, unreadableRow, unreadableUser } from "../person/reason.ts"

/** People in a page by default. */
const defaultLimit = 100

const decodeUserId = Schema.decodeUnknownOption(UserId)

interface Asked {
  readonly people?: ReadonlyArray<string>
  readonly cursor?: string
  readonly limit?: number
}

/** All accounts of these people, with the tokens that D1 has, also once it has no columns for them. */
export const readAccountsOf = Effect.fn("readAccountsOf")(function* (userIds: ReadonlyArray<string>) {
  const database = yield* Database
  const hasTokens = (yield* readTokenColumns()).length === tokenColumns.length
  const sql = `SELECT ${hasTokens ? storedColumns : storedColumnsWithoutGrant}
    FROM json_each(?1) wanted JOIN user_accounts ON user_accounts.user_id = wanted.value`
  return groupAccounts(yield* database.rows("accounts", statement(sql, JSON.stringify(userIds))))
})

/** Reads a page of people, or those named, with their accounts. */
export const readPage = Effect.fn("readPage")(function* ({ people: named, cursor = "", limit = defaultLimit }: Asked) {
  const database = yield* Database
  const wanted = named?.length ?? limit
  const candidates = yield* Effect.flatMap(
    database.rows("people", candidatesAfter(named === undefined ? cursor : "", wanted, named ?? null)),
    decodeCandidates,
  )
  const accounts = yield* readAccountsOf(candidates.map(({ userId }) => userId))
  const people: Array<{ readonly candidate: Candidate; readonly person: Person }> = []
  const refused: Array<{ readonly candidate: Candidate; readonly problem: StepFailed }> = []
  for (const candidate of candidates) {
    const rows = accounts.get(candidate.userId) ?? []
    const userId = decodeUserId(candidate.userId)
    const readable = rows.filter((row) => row !== null)
    if (Option.isNone(userId)) refused.push({ candidate, problem: unreadableUser() })
    else if (readable.length < rows.length) {
      refused.push({ candidate, problem: unreadableRow() })
    } else people.push({ candidate, person: { userId: userId.value, accounts: readable } })
  }
  const isMore = named === undefined && candidates.length === limit
  return { people, refused, next: isMore ? (candidates.at(-1)?.userId ?? null) : null }
})

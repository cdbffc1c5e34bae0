import { Effect, Schema } from "effect"
import { bucketOf } from "../../domain/rollout.ts"
import { Stage } from "../../domain/stage.ts"
import type { UserId } from "../../domain/user.ts"
import { NotFound } from "../../http/error.ts"
import type { Person } from "../api/people.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { Flags } from "../Flags.ts"
import { aimOf } from "../page/aim.ts"
import { candidatesAfter, decodeCandidates, positionOf, startedInObject } from "../page/candidates.ts"
import { type AccountRow, withTokens } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
import { moveParameters } from "../runs/parameters.ts"
import { readAccountsOf } from "./readPage.ts"

const selectHistory = `SELECT at, from_stage AS "from", to_stage AS "to", outcome, reason, run_id AS runId
  FROM token_migration_history WHERE user_id = ?1 ORDER BY id DESC LIMIT 100`

const decodeHistory = decodeRows(
  Schema.Struct({
    at: Schema.Int,
    from: Stage,
    to: Stage,
    outcome: Schema.String,
    reason: Schema.NullOr(Schema.String),
    runId: Schema.NullOr(Schema.String),
  }),
)

const selectRest = `SELECT (SELECT durable_object_id FROM users WHERE id = ?1) AS durableObjectId,
  (SELECT reason FROM token_migration_status WHERE user_id = ?1) AS reason,
  (SELECT verified_at FROM token_migration_status WHERE user_id = ?1) AS verifiedAt`

const decodeRest = decodeRows(
  Schema.Struct({
    durableObjectId: Schema.NullOr(Schema.String),
    reason: Schema.NullOr(Schema.String),
    verifiedAt: Schema.NullOr(Schema.Int),
  }),
)

/** The accounts beside what the object has of them; nothing where it cannot be asked. */
const askObject = Effect.fn("askObject")(function* (userId: UserId, rows: ReadonlyArray<AccountRow>) {
  return yield* compareWithObject(userId, rows.map(withTokens), { probe: false }).pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning("An object could not be asked", error.message), [])),
  )
})

type Compared = Effect.Success<ReturnType<typeof askObject>>

const toAccount = (row: AccountRow, compared: Compared) => {
  const { stored, inObject, differences } = compared.find((one) => one.stored.provider === row.provider) ?? {}
  const isReadable = stored?.tokens !== null && differences?.has("unreadable") === false
  return {
    provider: row.provider,
    isActive: row.isActive,
    state: row.state,
    holder: row.holder,
    epoch: row.epoch,
    hasTokens: row.accessToken !== null || row.refreshToken !== null,
    expiresAt: typeof row.expiresAt === "number" ? row.expiresAt : null,
    object:
      inObject === undefined
        ? null
        : {
            epoch: inObject.epoch,
            isHolder: inObject.isHolder,
            state: inObject.state,
            reason: inObject.reason,
            isSame: isReadable ? !differences.has("tokens") : null,
          },
  }
}

/** Where one person is, what either side has of them, and every step that they took. No token. */
export const findPerson = Effect.fn("findPerson")(function* (userId: UserId) {
  const database = yield* Database
  const flags = yield* Flags
  const [candidateRows = [], historyRows = [], restRows = []] = yield* database.batch("person", [
    candidatesAfter("", 1, [userId]),
    statement(selectHistory, userId),
    statement(selectRest, userId),
  ])
  const [candidate] = yield* decodeCandidates(candidateRows)
  const [rest] = yield* decodeRest(restRows)
  if (candidate === undefined || rest === undefined) return yield* new NotFound({ path: `/v1/people/${userId}` })
  const history = yield* decodeHistory(historyRows)
  const rows = ((yield* readAccountsOf([userId])).get(userId) ?? []).filter((row) => row !== null)
  const { stage } = positionOf(candidate)
  const isInMove = !startedInObject(candidate)
  // An object that nothing was ever brought to is not made by a look at it.
  const isObjectKnown = stage !== "off" || rest.durableObjectId !== null || history.length > 0
  const compared = isObjectKnown ? yield* askObject(userId, rows) : []
  const aim = aimOf(candidate, { id: "", parameters: moveParameters({}) }, yield* flags.rollout)
  return {
    userId,
    stage: isInMove ? stage : null,
    target: aim?.target ?? null,
    bucket: bucketOf(userId),
    ceiling: candidate.ceiling,
    state: candidate.state,
    reason: rest.reason,
    attempts: candidate.attempts ?? 0,
    nextAttemptAt: candidate.nextAttemptAt,
    verifiedAt: rest.verifiedAt,
    runId: candidate.runId,
    durableObjectId: rest.durableObjectId,
    accounts: rows.map((row) => toAccount(row, compared)),
    history,
  } satisfies Person
})

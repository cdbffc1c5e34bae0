import { Effect, Schema } from "effect"
import { bucketOf } from "../../domain/rollout.ts"
import type { UserId } from "../../domain/user.ts"
import { PersonNotFound } from "../../http/error.ts"
import { type Person, TakenStep } from "../api/people.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { Flags } from "../Flags.ts"
import { candidatesAfter, decodeCandidates, positionOf, startedInObject } from "../page/candidates.ts"
import { destinationOf } from "../page/destination.ts"
import { type AccountRow, withTokens } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
import { moveParameters } from "../runs/parameters.ts"
import { findObstacle } from "./findObstacle.ts"
import { readAccountsOf } from "./readPage.ts"

const selectHistory = `SELECT at, from_stage AS "from", to_stage AS "to", outcome, reason, run_id AS runId
  FROM token_migration_history WHERE user_id = ?1 ORDER BY id DESC LIMIT 100`

const decodeHistory = decodeRows(TakenStep)

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

/** Reads the stage of one person, their accounts on both sides, what prevents a move, and their steps so far. Returns no token. */
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
  if (candidate === undefined || rest === undefined) return yield* new PersonNotFound({ userId })
  const history = yield* decodeHistory(historyRows)
  const allRows = (yield* readAccountsOf([userId])).get(userId) ?? []
  const rows = allRows.filter((row) => row !== null)
  const obstacle = yield* findObstacle(userId, allRows)
  const { stage } = positionOf(candidate)
  const isInMove = !startedInObject(candidate)
  // Asking an object that has never been given anything would create it.
  const isObjectKnown = stage !== "off" || rest.durableObjectId !== null || history.length > 0
  const compared = isObjectKnown ? yield* askObject(userId, rows) : []
  const destination = destinationOf(candidate, { id: "", parameters: moveParameters({}) }, yield* flags.rollout)
  return {
    userId,
    stage: isInMove ? stage : null,
    target: destination?.target ?? null,
    bucket: bucketOf(userId),
    ceiling: candidate.ceiling,
    state: candidate.state,
    reason: rest.reason,
    obstacle: obstacle === null ? null : { reason: obstacle.reason, detail: obstacle.detail },
    attempts: candidate.attempts ?? 0,
    nextAttemptAt: candidate.nextAttemptAt,
    verifiedAt: rest.verifiedAt,
    runId: candidate.runId,
    durableObjectId: rest.durableObjectId,
    accounts: rows.map((row) => toAccount(row, compared)),
    history,
  } satisfies Person
})

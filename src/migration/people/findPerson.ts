import { Effect, Option, Schema } from "effect"
import { fingerprint, newFingerprintKey } from "../../domain/fingerprint.ts"
import { bucketOf } from "../../domain/rollout.ts"
import { Stage } from "../../domain/stage.ts"
import type { UserId } from "../../domain/user.ts"
import { PersonNotFound } from "../../http/error.ts"
import type { Person } from "../api/people.ts"
import { Core } from "../Core.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { Flags } from "../Flags.ts"
import { candidatesAfter, decodeCandidates, positionOf, startedInObject } from "../page/candidates.ts"
import { destinationOf } from "../page/destination.ts"
import { type AccountRow, storedGrant } from "../person/accounts.ts"
import { moveParameters } from "../runs/parameters.ts"
import { findObstacle } from "./findObstacle.ts"
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

/** Reads the accounts as the object has them; none where it does not answer. */
const askObject = Effect.fn("askObject")(function* (userId: UserId, key: string) {
  const core = yield* Core
  return yield* core.fingerprintTokens({ userId, key, probe: false }).pipe(
    Effect.map(({ accounts }) => accounts),
    Effect.catch((error) => Effect.as(Effect.logWarning("An object did not answer", error.message), [])),
  )
})

type ObjectAccounts = Effect.Success<ReturnType<typeof askObject>>

const toAccount = Effect.fnUntraced(function* (row: AccountRow, told: ObjectAccounts, key: string) {
  const kept = told.find(({ provider }) => provider === row.provider)
  const stored = storedGrant(row)
  const expected = Option.isSome(stored) ? yield* fingerprint(key, stored.value.tokens) : null
  return {
    provider: row.provider,
    isActive: row.isActive,
    state: row.state,
    holder: row.holder,
    epoch: row.epoch,
    hasTokens: row.accessToken !== null || row.refreshToken !== null,
    expiresAt: typeof row.expiresAt === "number" ? row.expiresAt : null,
    object:
      kept === undefined
        ? null
        : {
            epoch: kept.epoch,
            isHolder: kept.isHolder,
            state: kept.state,
            reason: kept.reason,
            isSame: expected === null || kept.fingerprint === null ? null : kept.fingerprint === expected,
          },
  }
})

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
  const key = newFingerprintKey()
  const told = isObjectKnown ? yield* askObject(userId, key) : []
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
    accounts: yield* Effect.forEach(rows, (row) => toAccount(row, told, key)),
    history,
  } satisfies Person
})

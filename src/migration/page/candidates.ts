import { Schema } from "effect"
import { type Holder, Stage } from "../../domain/stage.ts"
import { StepState } from "../api/people.ts"
import { decodeRows, type Statement, statement } from "../Database.ts"
import type { Position } from "./choose.ts"

/** A person who may have a step to take. */
const Candidate = Schema.Struct({
  userId: Schema.String,
  stage: Schema.NullOr(Stage),
  towards: Schema.NullOr(Stage),
  state: Schema.NullOr(StepState),
  attempts: Schema.NullOr(Schema.Int),
  nextAttemptAt: Schema.NullOr(Schema.Int),
  ceiling: Schema.NullOr(Stage),
  runId: Schema.NullOr(Schema.String),
  /** Whether D1 holds at least one of their accounts, and whether D1's rows say of one that the object does. */
  isHeldByDatabase: Schema.BooleanFromBit,
  isHeldByObject: Schema.BooleanFromBit,
})
export type Candidate = typeof Candidate.Type

export const decodeCandidates = decodeRows(Candidate)

/** Selects the people after `cursor`, in order of user id: everybody, or only those named. Reads no token. */
export const candidatesAfter = (cursor: string, rows: number, named: ReadonlyArray<string> | null): Statement => {
  const isNamed = named === null ? "" : "AND user_id IN (SELECT value FROM json_each(?3))"
  const sql = `SELECT person.user_id AS userId, stage, target AS towards, status.state, attempts, next_attempt_at AS nextAttemptAt,
      ceiling, run_id AS runId,
      EXISTS (SELECT 1 FROM user_accounts WHERE user_id = person.user_id AND holder <> 'object') AS isHeldByDatabase,
      EXISTS (SELECT 1 FROM user_accounts WHERE user_id = person.user_id AND holder = 'object') AS isHeldByObject
    FROM (SELECT DISTINCT user_id FROM user_accounts WHERE user_id > ?1 ${isNamed} ORDER BY user_id LIMIT ?2) person
    LEFT JOIN token_migration_status status ON status.user_id = person.user_id ORDER BY person.user_id`
  return named === null ? statement(sql, cursor, rows) : statement(sql, cursor, rows, JSON.stringify(named))
}

/** Whether all accounts of a person started in an object: such people were never in the move, and a move has no step for them. */
export const startedInObject = ({ stage, isHeldByDatabase }: Candidate): boolean => stage === null && !isHeldByDatabase

/** A person without a status is at `off`; one who started in an object is at the last stage. */
export const positionOf = (candidate: Candidate): Position => {
  const stage = candidate.stage ?? (startedInObject(candidate) ? "complete" : "off")
  const holders = new Set<Holder>()
  // Of people who never were in the move, accounts of both sides may stand side by side.
  if (candidate.stage !== null && candidate.isHeldByDatabase) holders.add("database")
  if (candidate.stage !== null && candidate.isHeldByObject) holders.add("object")
  return { stage, towards: candidate.towards ?? stage, state: candidate.state ?? "migrated", holders }
}

import { Effect, Option, Schema } from "effect"
import { hasReached, holderAt } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Database, statement } from "../Database.ts"
import { type AccountsOf, readAccounts } from "../person/accounts.ts"
import type { PersonInMove } from "../person/PersonInMove.ts"
import { failed, type StepFailed, unreadableRow, unreadableUser } from "../person/reason.ts"
import type { Step } from "./choose.ts"
import type { PlannedStep } from "./PlannedStep.ts"

const decodeUserId = Schema.decodeUnknownOption(UserId)

/** Whether a step copies D1's grants to the object. */
const isCopying = ({ transition: { from, to }, isUndo }: Step): boolean =>
  !isUndo && holderAt(from) === "database" && hasReached(to, from)

/** With one grant in the rows of two people neither is moved: each object's refresh would invalidate the other's token. */
const whyNot = (
  { userId, step }: PlannedStep,
  accounts: AccountsOf,
  duplicates: ReadonlySet<string>,
): StepFailed | null => {
  if (Option.isNone(decodeUserId(userId))) return unreadableUser()
  if (isCopying(step) && duplicates.has(userId)) return failed("duplicate_account", "somebody else has the same grant")
  return accounts.get(userId)?.includes(null) ? unreadableRow() : null
}

const selectDuplicates = `SELECT user_id AS userId FROM migration_duplicates
  WHERE run_id = ?2 AND user_id IN (SELECT value FROM json_each(?1))`

/** Those of these people whose grant somebody else has too, as the run found when it began. */
const readDuplicates = Effect.fnUntraced(function* (userIds: ReadonlyArray<string>, runId: string) {
  const database = yield* Database
  if (userIds.length === 0) return new Set<string>()
  const rows = yield* database.rows("duplicates", statement(selectDuplicates, JSON.stringify(userIds), runId))
  return new Set(rows.map(({ userId }) => String(userId)))
})

/** Reads the accounts of people who have a step to take. `refused`: people who cannot be moved because of what their rows say. */
export const readPeople = Effect.fn("readPeople")(function* (steps: ReadonlyArray<PlannedStep>, runId: string) {
  const userIds = steps.map(({ userId }) => userId)
  const accounts = yield* readAccounts(userIds)
  const duplicates = yield* readDuplicates(userIds, runId)
  const refused = new Map<string, StepFailed>()
  const peopleInMove = new Map<string, PersonInMove>()
  for (const planned of steps) {
    const { userId } = planned
    const problem = whyNot(planned, accounts, duplicates)
    if (problem !== null) refused.set(userId, problem)
    else {
      const rows = (accounts.get(userId) ?? []).filter((row) => row !== null)
      peopleInMove.set(userId, { userId: UserId.make(userId), accounts: rows, lease: planned.lease })
    }
  }
  return { refused, peopleInMove }
})

import { Clock, Effect, Result } from "effect"
import { hasReached, holderAt, type Stage } from "../../domain/stage.ts"
import type { Verification, Verify } from "../api/people.ts"
import type { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { type Candidate, positionOf, startedInObject } from "../page/candidates.ts"
import { type AccountRow, isDisconnected, toCarry, withTokens } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
import { forEachPerson, type Person } from "../person/PersonInMove.ts"
import { failed, type Overtaken, StepFailed } from "../person/reason.ts"
import { readPage } from "./readPage.ts"

/** Whether D1 and the object have the same grants at a stage. */
const isBothSides = (stage: Stage): boolean => hasReached(stage, "dual_write") && !hasReached(stage, "rampdown")

/** Checks D1's rows: each names the holder of the stage, and a row that D1 holds can be moved. */
const checkRows = (stage: Stage, accounts: ReadonlyArray<AccountRow>): StepFailed | null => {
  for (const row of accounts) {
    if (row.holder !== holderAt(stage)) {
      const reason = row.holder === "object" ? "held_by_object" : "not_held_by_object"
      return failed(reason, `${row.provider} is held by the ${row.holder} at ${stage}`)
    }
    const carried = row.holder === "database" ? toCarry(row) : Result.succeed(null)
    if (Result.isFailure(carried)) return carried.failure
  }
  return null
}

const checkObject = Effect.fn("checkObject")(function* (
  stage: Stage,
  { userId, accounts }: Person,
  options: { readonly probe: boolean },
) {
  const rows = accounts.filter((account) => !isDisconnected(account)).map(withTokens)
  for (const { stored, inObject, differences } of yield* compareWithObject(userId, rows, options)) {
    const { provider, holder, state } = stored
    if (inObject === undefined) {
      if (state === "reauthorization_required") continue
      const reason = holder === "object" ? "not_held_by_object" : "not_the_same"
      return yield* failed(reason, `${provider} is not in the object`)
    }
    if (differences.has("holder")) {
      return yield* inObject.isHolder
        ? failed("held_by_object", `${provider} has two holders`)
        : failed("not_held_by_object", `${provider} has no holder`)
    }
    if (differences.has("epoch")) {
      const epochs = `epoch ${inObject.epoch} in the object, ${stored.epoch} in D1`
      return yield* failed("not_the_same", `${provider}: ${epochs}`)
    }
    if (differences.has("unreadable")) return yield* failed("seal_broken", inObject.reason ?? provider)
    if (inObject.use === "refused" && state === "connected") {
      return yield* failed("grant_refused", `${provider}: ${inObject.reason ?? "refused"}`)
    }
    if (isBothSides(stage) && differences.has("tokens")) {
      return yield* failed("not_the_same", `${provider}: D1 has other tokens than the object`)
    }
  }
})

interface ToCheck extends Person {
  readonly candidate: Candidate
}

const stageOf = (candidate: Candidate): Stage | null =>
  startedInObject(candidate) ? null : positionOf(candidate).stage

const check = (options: { readonly probe: boolean }) =>
  Effect.fn("check")(function* (person: ToCheck): Effect.fn.Return<void, StepFailed | Overtaken, Core> {
    // A person who started in an object is at the last stage.
    const { stage } = positionOf(person.candidate)
    const problem = checkRows(stage, person.accounts)
    if (problem !== null) return yield* problem
    if (stage !== "off") yield* checkObject(stage, person, options)
  })

const verified = `UPDATE token_migration_status SET verified_at = ?2
  WHERE stage <> 'off' AND user_id IN (SELECT value FROM json_each(?1))`

// A person who is not as their stage says is no longer verified. A person whose object did not answer stays as they were.
const unverified = `UPDATE token_migration_status SET verified_at = NULL WHERE user_id IN (SELECT value FROM json_each(?1))`
const disproved = new Set(["held_by_object", "not_held_by_object", "not_the_same", "seal_broken", "grant_refused"])

/**
 * Verifies that people are as their stage says: that both sides agree on the holder and epoch of each account, that the object opens the
 * grant, and, where both sides have it, that they have the same. Writes nothing but the time of the last successful verification, which
 * a failed one clears.
 */
export const verify = Effect.fn("verify")(function* (asked: Verify) {
  const database = yield* Database
  const { people, refused, next } = yield* readPage(asked)
  const toCheck = people.map(({ candidate, person }): ToCheck => ({ ...person, candidate }))
  const outcomes = yield* forEachPerson(toCheck, check({ probe: asked.probe ?? false }))
  const good = toCheck.filter(({ userId }) => {
    const outcome = outcomes.get(userId)
    return outcome !== undefined && Result.isSuccess(outcome)
  })
  const now = yield* Clock.currentTimeMillis
  const problems = toCheck.flatMap(({ userId, candidate }) => {
    const outcome = outcomes.get(userId)
    if (outcome === undefined || Result.isSuccess(outcome) || !(outcome.failure instanceof StepFailed)) return []
    const { reason, detail } = outcome.failure
    return [{ userId, stage: stageOf(candidate), reason, detail }]
  })
  const unread = refused.map(({ candidate, problem: { reason, detail } }) => ({
    userId: candidate.userId,
    stage: stageOf(candidate),
    reason,
    detail,
  }))
  const bad = problems.filter(({ reason }) => disproved.has(reason))
  const idsOf = (some: ReadonlyArray<{ readonly userId: string }>) => JSON.stringify(some.map(({ userId }) => userId))
  yield* database.batch("verified", [statement(verified, idsOf(good), now), statement(unverified, idsOf(bad))])
  return { checked: toCheck.length + refused.length, problems: [...unread, ...problems], next } satisfies Verification
})

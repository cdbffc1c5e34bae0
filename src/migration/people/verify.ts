import { Clock, Effect, Option, Result } from "effect"
import { fingerprint, newFingerprintKey } from "../../domain/fingerprint.ts"
import { hasReached, holderAt, type Stage } from "../../domain/stage.ts"
import type { Verification, Verify } from "../api/people.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { type Candidate, positionOf, startedInObject } from "../page/candidates.ts"
import { type AccountRow, isDisconnected, storedGrant, toCarry } from "../person/accounts.ts"
import { forEachPerson, type PersonInMove } from "../person/PersonInMove.ts"
import { failed, type Overtaken, StepFailed, toStepFailed } from "../person/reason.ts"
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
  { userId, accounts }: PersonInMove,
  probe: boolean,
) {
  const core = yield* Core
  const key = newFingerprintKey()
  const told = (yield* Effect.mapError(core.fingerprintTokens({ userId, key, probe }), toStepFailed)).accounts
  const holder = holderAt(stage)
  for (const row of accounts.filter((account) => !isDisconnected(account))) {
    const kept = told.find(({ provider }) => provider === row.provider)
    if (kept === undefined && row.state === "reauthorization_required") continue
    if (kept === undefined) {
      return yield* failed(
        holder === "object" ? "not_held_by_object" : "not_the_same",
        `${row.provider} is not in the object`,
      )
    }
    if (kept.isHolder && holder === "database")
      return yield* failed("held_by_object", `${row.provider} has two holders`)
    if (!kept.isHolder && holder === "object")
      return yield* failed("not_held_by_object", `${row.provider} has no holder`)
    if (kept.epoch !== row.epoch) {
      return yield* failed("not_the_same", `${row.provider}: epoch ${kept.epoch} in the object, ${row.epoch} in D1`)
    }
    if (kept.fingerprint === null) return yield* failed("seal_broken", kept.reason ?? row.provider)
    if (kept.use === "refused" && row.state === "connected") {
      return yield* failed("grant_refused", `${row.provider}: ${kept.reason ?? "refused"}`)
    }
    if (!isBothSides(stage)) continue
    const stored = storedGrant(row)
    const isSame = Option.isSome(stored) && kept.fingerprint === (yield* fingerprint(key, stored.value.tokens))
    if (!isSame) return yield* failed("not_the_same", `${row.provider}: D1 has other tokens than the object`)
  }
})

interface ToCheck extends PersonInMove {
  readonly candidate: Candidate
}

const stageOf = (candidate: Candidate): Stage | null =>
  startedInObject(candidate) ? null : positionOf(candidate).stage

const check = (probe: boolean) =>
  Effect.fn("check")(function* (person: ToCheck): Effect.fn.Return<void, StepFailed | Overtaken, Core> {
    // A person who started in an object is at the last stage.
    const { stage } = positionOf(person.candidate)
    const problem = checkRows(stage, person.accounts)
    if (problem !== null) return yield* problem
    if (stage !== "off") yield* checkObject(stage, person, probe)
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
  const outcomes = yield* forEachPerson(toCheck, check(asked.probe ?? false))
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

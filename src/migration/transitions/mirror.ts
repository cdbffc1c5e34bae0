import { Effect, Option } from "effect"
import { fingerprint, newFingerprintKey } from "../../domain/fingerprint.ts"
import { Core } from "../Core.ts"
import { type AccountRow, isDisconnected, readAccounts, storedGrant } from "../person/accounts.ts"
import { markVerifying } from "../person/markVerifying.ts"
import {
  forEachPerson,
  latest,
  type Outcomes,
  type PersonInMove,
  succeeded,
  toStepResults,
} from "../person/PersonInMove.ts"
import { failed, toStepFailed } from "../person/reason.ts"

/** How often a mirror is compared: a refresh during the first comparison makes its result worthless. */
const comparisonsAtMost = 2

const isMirrored = ({ holder }: AccountRow): boolean => holder === "object"

/** Compares the grants that the object holds with their mirror in D1. */
const compareOne = Effect.fn("compareMirror")(function* ({ userId, accounts }: PersonInMove) {
  const core = yield* Core
  const rows = accounts.filter((account) => isMirrored(account) && !isDisconnected(account))
  if (rows.length === 0) return
  const key = newFingerprintKey()
  const told = yield* Effect.mapError(core.fingerprintTokens({ userId, key, probe: false }), toStepFailed)
  for (const row of rows) {
    const held = told.accounts.find(({ provider }) => provider === row.provider)
    // An account that has to be connected again, and never had a readable grant, has no mirror.
    if (held === undefined && row.state === "reauthorization_required") continue
    if (held === undefined) return yield* failed("not_held_by_object", row.provider)
    if (held.fingerprint === null) return yield* failed("seal_broken", held.reason ?? row.provider)
    const stored = storedGrant(row)
    const isSame = Option.isSome(stored) && held.fingerprint === (yield* fingerprint(key, stored.value.tokens))
    if (!isSame) return yield* failed("not_the_same", row.provider)
  }
})

/** Compares people's mirrors in D1, and once more those that differ. */
export const compareMirrors = Effect.fn("compareMirrors")(function* (
  peopleInMove: ReadonlyArray<{ readonly userId: PersonInMove["userId"] }>,
) {
  let outcomes: Outcomes<void> = new Map()
  let left = peopleInMove
  for (let round = 0; round < comparisonsAtMost && left.length > 0; round++) {
    const rows = yield* readAccounts(left.map(({ userId }) => userId))
    const compared = yield* forEachPerson(
      left.map(({ userId }) => ({ userId, accounts: (rows.get(userId) ?? []).filter((row) => row !== null) })),
      compareOne,
    )
    outcomes = latest(outcomes, compared)
    const same = new Set(succeeded(left, compared))
    left = left.filter((person) => !same.has(person))
  }
  return outcomes
})

/** `rampdown` to `live`: the object writes its tokens to the mirror in D1 again. */
export const mirrorAgain = Effect.fn("mirrorAgain")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const core = yield* Core
  const mirrored = yield* forEachPerson(peopleInMove, ({ userId }) =>
    Effect.mapError(core.setMirror({ userId, isMirrored: true }), toStepFailed),
  )
  const toCompare = succeeded(peopleInMove, mirrored)
  yield* markVerifying(toCompare)
  const compared = yield* compareMirrors(toCompare)
  return toStepResults(peopleInMove, latest<unknown>(mirrored, compared), () => ({ isVerified: true }))
})

/** `live` to `rampdown`: the object stops writing to the mirror in D1, which stays as it is. */
export const stopMirror = Effect.fn("stopMirror")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const core = yield* Core
  const stopped = yield* forEachPerson(peopleInMove, ({ userId }) =>
    Effect.mapError(core.setMirror({ userId, isMirrored: false }), toStepFailed),
  )
  return toStepResults(peopleInMove, stopped, () => ({ isVerified: false }))
})

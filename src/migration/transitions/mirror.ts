import { Effect } from "effect"
import { Core } from "../Core.ts"
import { type AccountRow, isDisconnected, readAccounts, withTokens } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
import { markVerifying } from "../person/markVerifying.ts"
import {
  forEachPerson,
  latest,
  type Outcomes,
  type Person,
  type PersonInMove,
  succeeded,
  toStepResults,
} from "../person/PersonInMove.ts"
import { failed, toStepFailed } from "../person/reason.ts"

/** How often a mirror is compared: a refresh during the first comparison makes its result worthless. */
const comparisonsAtMost = 2

const isMirrored = ({ holder }: AccountRow): boolean => holder === "object"

/** Compares the grants that the object holds with their mirror in D1. */
const compareOne = Effect.fn("compareMirror")(function* ({ userId, accounts }: Person) {
  const rows = accounts.filter((account) => isMirrored(account) && !isDisconnected(account)).map(withTokens)
  if (rows.length === 0) return
  const compared = yield* compareWithObject(userId, rows, { probe: false })
  const isSomeOpen = compared.some(({ inObject }) => (inObject?.fingerprint ?? null) !== null)
  for (const { stored, inObject, differences } of compared) {
    const { provider, state } = stored
    if (differences.has("missing")) {
      // Nothing to mirror of an account that the person has to connect again, and that never had a readable grant.
      if (state === "reauthorization_required") continue
      return yield* failed("not_held_by_object", provider)
    }
    if (differences.has("unreadable")) {
      // It keeps none of the others back, and nothing of it goes to D1.
      if (isSomeOpen) continue
      return yield* failed("seal_broken", inObject?.reason ?? provider)
    }
    if (differences.has("tokens")) return yield* failed("not_the_same", provider)
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
  const mirrored = yield* forEachPerson(peopleInMove, ({ userId, lease }) =>
    Effect.mapError(core.setMirror({ userId, lease, isMirrored: true }), toStepFailed),
  )
  const toCompare = succeeded(peopleInMove, mirrored)
  yield* markVerifying(toCompare)
  const compared = yield* compareMirrors(toCompare)
  return toStepResults(peopleInMove, latest<unknown>(mirrored, compared), () => ({ isVerified: true }))
})

/** `live` to `rampdown`: the object stops writing to the mirror in D1, which stays as it is. */
export const stopMirror = Effect.fn("stopMirror")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const core = yield* Core
  const stopped = yield* forEachPerson(peopleInMove, ({ userId, lease }) =>
    Effect.mapError(core.setMirror({ userId, lease, isMirrored: false }), toStepFailed),
  )
  return toStepResults(peopleInMove, stopped, () => ({ isVerified: false }))
})

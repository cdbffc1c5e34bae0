import { Effect } from "effect"
import { newFingerprintKey } from "../../domain/fingerprint.ts"
import { Core } from "../Core.ts"
import type { Person } from "../person/PersonInMove.ts"
import { failed, type Overtaken, type StepFailed, toStepFailed } from "../person/reason.ts"
import { checkHeld } from "./complete.ts"
import { compareCopies, grantsToCopy } from "./copy.ts"

/** Fails as a step would fail for one person. Writes nothing, to D1 or to the object. */
export type Check = (personInMove: Person) => Effect.Effect<unknown, StepFailed | Overtaken, Core>

/** Passes: nothing can be known to be wrong before the step is taken. */
export const checkNothing: Check = () => Effect.void

/** Fails unless D1's rows can be copied. The object may still have another copy: the step replaces it. */
export const checkRows: Check = ({ accounts }) => grantsToCopy(accounts)

/** Fails unless the object has the same copies as D1, opens each, and the provider accepts it. */
export const checkHandOver: Check = Effect.fnUntraced(function* ({ userId, accounts }) {
  const grants = yield* grantsToCopy(accounts)
  if (grants.length > 0) yield* compareCopies(userId, grants, { probe: true })
})

const sealsOf = Effect.fnUntraced(function* ({ userId }: Person) {
  const core = yield* Core
  const { accounts } = yield* Effect.mapError(
    core.fingerprintTokens({ userId, key: newFingerprintKey(), probe: false }),
    toStepFailed,
  )
  const broken = accounts.find(({ fingerprint }) => fingerprint === null)
  return { broken, isSomeOpen: accounts.some(({ isHolder, fingerprint }) => isHolder && fingerprint !== null) }
})

/** Fails unless the object opens everything that it has. */
export const checkSeals: Check = Effect.fnUntraced(function* (person) {
  const { broken } = yield* sealsOf(person)
  if (broken !== undefined) return yield* failed("seal_broken", broken.reason ?? broken.provider)
})

/** Fails where the object opens nothing of what it holds: one grant that does not open keeps no other from its mirror. */
export const checkSomeSeal: Check = Effect.fnUntraced(function* (person) {
  const { broken, isSomeOpen } = yield* sealsOf(person)
  if (broken !== undefined && !isSomeOpen) return yield* failed("seal_broken", broken.reason ?? broken.provider)
})

/** Fails unless the object holds and opens every grant. An expired access token passes: only the step itself may refresh it. */
export const checkCompletion: Check = (personInMove) => checkHeld(personInMove, { mayRefresh: false })

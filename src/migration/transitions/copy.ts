import { Effect, Result } from "effect"
import { Core } from "../Core.ts"
import { type AccountRow, type Carried, toCarry } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
import { markVerifying } from "../person/markVerifying.ts"
import { forEachPerson, latest, type PersonInMove, toStepResults } from "../person/PersonInMove.ts"
import { failed, Overtaken, type StepFailed, toStepFailed } from "../person/reason.ts"

/** Returns the grants of which the object needs a copy: those that D1 holds and that are not disconnected. */
export const grantsToCopy = (accounts: ReadonlyArray<AccountRow>): Effect.Effect<ReadonlyArray<Carried>, StepFailed> =>
  Effect.forEach(
    accounts.filter(({ holder }) => holder === "database"),
    (account) => Effect.fromResult(toCarry(account)),
  ).pipe(Effect.map((grants) => grants.filter((grant) => grant !== null)))

/** Returns the grants of which the object opens a different copy, or none. Fails for a grant that the provider refuses. */
export const compareCopies = Effect.fn("compareCopies")(function* (
  userId: PersonInMove["userId"],
  grants: ReadonlyArray<Carried>,
  { probe }: Pick<CopyOptions, "probe">,
) {
  const held = grants.map((grant) => ({ ...grant, holder: "database" as const, grant }))
  const differing: Array<Carried> = []
  for (const { stored, inObject, differences } of yield* compareWithObject(userId, held, { probe })) {
    const { grant, provider } = stored
    if (differences.has("holder")) return yield* failed("held_by_object", `${provider}, which D1 holds as well`)
    // Of an account without tokens the object has nothing to show.
    if (differences.has("missing") && grant.tokens === null) continue
    if (differences.size > 0) differing.push(grant)
    else if (inObject?.use === "refused" && grant.state === "connected") {
      return yield* failed("grant_refused", `${provider}: ${inObject.reason ?? "the provider refused it"}`)
    }
  }
  return differing
})

const importGrants = Effect.fn("importGrants")(function* (
  { userId, lease }: Pick<PersonInMove, "userId" | "lease">,
  grants: ReadonlyArray<Carried>,
) {
  const core = yield* Core
  const { accounts } = yield* Effect.mapError(core.importTokens({ userId, lease, accounts: grants }), toStepFailed)
  return accounts.some(({ outcome }) => outcome === "kept")
})

const copyOne = Effect.fnUntraced(function* ({ userId, accounts, lease }: PersonInMove, options: CopyOptions) {
  const grants = yield* grantsToCopy(accounts)
  const compared = options.isFresh || grants.length === 0 ? grants : yield* compareCopies(userId, grants, options)
  const differing = grants.filter((grant) => grant.tokens === null || compared.includes(grant))
  // A copy that the object keeps is newer than the rows that were read; the comparison that follows decides.
  const isKept = differing.length > 0 && (yield* importGrants({ userId, lease }, differing))
  return { userId, grants, isCompared: differing.length === 0, isKept }
})

interface CopyOptions {
  /** Whether the object has no copy yet, so that comparing before copying is pointless. */
  readonly isFresh: boolean
  /** Whether each access token is used once. */
  readonly probe: boolean
}

/**
 * Copies D1's grants to people's objects, and compares fingerprints of what each object then opens: the answer of the write is not trusted.
 * Calls no object that needs no copy.
 */
export const copyGrants = Effect.fn("copyGrants")(function* (
  people: ReadonlyArray<PersonInMove>,
  options: CopyOptions,
) {
  const copied = yield* forEachPerson(people, (person) => copyOne(person, options))
  const toCompare = [...copied.values()].flatMap((outcome) =>
    Result.isSuccess(outcome) && !outcome.success.isCompared ? [outcome.success] : [],
  )
  yield* markVerifying(toCompare)
  const compared = yield* forEachPerson(
    toCompare,
    Effect.fnUntraced(function* ({ userId, grants, isKept }) {
      const differing = yield* compareCopies(userId, grants, options)
      if (differing.length === 0) return
      return yield* isKept
        ? new Overtaken()
        : failed("not_the_same", differing.map(({ provider }) => provider).join(", "))
    }),
  )
  return latest<unknown>(copied, compared)
})

const generationsOf = (accounts: ReadonlyArray<AccountRow>): number =>
  accounts.reduce((sum, { generation }) => sum + generation, 0)

/** `off` to `dual_write`, and `dual_write` to `shadow`: gives the object a copy of each grant that D1 holds. */
export const copy = ({ isFresh }: Pick<CopyOptions, "isFresh">) =>
  Effect.fn("copy")(function* (people: ReadonlyArray<PersonInMove>) {
    const outcomes = yield* copyGrants(people, { isFresh, probe: false })
    return toStepResults(people, outcomes, ({ accounts }) => ({
      isVerified: true,
      generations: generationsOf(accounts),
    }))
  })

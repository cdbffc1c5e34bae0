import { Clock, Effect, Option, Result } from "effect"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import { Database, statement } from "../Database.ts"
import type { AccountRow } from "../person/accounts.ts"
import { leasedBy } from "../person/lease.ts"
import { PageSettings } from "../person/PageSettings.ts"
import {
  latest,
  type Outcome,
  type Outcomes,
  type PersonInMove,
  type StepResult,
  succeeded,
} from "../person/PersonInMove.ts"
import { Overtaken } from "../person/reason.ts"
import { copyGrants } from "./copy.ts"
import { fence, unfence } from "./fence.ts"
import { handOver } from "./handOver.ts"

// The switch: the object becomes the holder, if the row is still the one that was copied and compared, and nobody is refreshing it.
const switchHolder = `UPDATE user_accounts SET holder = 'object', epoch = user_accounts.epoch + 1, refresh_claim = NULL,
    refresh_claimed_until = NULL, fenced_until = NULL, updated_at = ?2
  FROM json_each(?1) given
  WHERE user_id = given.value->>'userId' AND provider = given.value->>'provider' AND holder = 'database'
    AND user_accounts.epoch = given.value->>'epoch' AND generation = given.value->>'generation'
    AND (refresh_claim IS NULL OR refresh_claimed_until <= ?2) AND ${leasedBy(3)}
  RETURNING user_id AS userId, provider, epoch`

const keyOf = (userId: unknown, provider: unknown) => `${provider} ${userId}`

/** Switches the holder of these people's grants to the object, and returns their rows as they are then. */
const give = Effect.fn("give")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const now = yield* Clock.currentTimeMillis
  const held = peopleInMove.flatMap(({ accounts }) => accounts.filter(({ holder }) => holder === "database"))
  const given = new Map<string, number>()
  const rows = held.map(({ userId, provider, epoch, generation }) => ({ userId, provider, epoch, generation }))
  for (const text of jsonTexts(rows)) {
    for (const row of yield* database.rows("switch", statement(switchHolder, text, now, lease))) {
      given.set(keyOf(row["userId"], row["provider"]), Number(row["epoch"]))
    }
  }
  return peopleInMove.map(
    ({ accounts, ...person }): PersonInMove => ({
      ...person,
      accounts: accounts.map((account) => {
        const epoch = given.get(keyOf(person.userId, account.provider))
        return epoch === undefined ? account : { ...account, holder: "object", epoch }
      }),
    }),
  )
})

const isChanged = (before: ReadonlyArray<AccountRow>, after: ReadonlyArray<AccountRow>): boolean =>
  before.length !== after.length ||
  after.some(
    ({ provider, epoch, generation, holder, state }) =>
      !before.some(
        (row) =>
          row.provider === provider &&
          row.epoch === epoch &&
          row.generation === generation &&
          row.holder === holder &&
          row.state === state,
      ),
  )

/** Whether D1 gave every account away. A person's own change overtakes the switch of an account. */
const isAllGiven = ({ accounts }: PersonInMove): boolean => accounts.every(({ holder }) => holder === "object")

/**
 * `shadow` to `live`: hands the grants over to the object. Copies, compares and uses every grant before it fences any, so that D1's side
 * cannot refresh for the duration of a few statements only. Grants that an earlier attempt gave away are only taken over.
 */
export const takeOver = Effect.fn("takeOver")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const prepared = yield* copyGrants(peopleInMove, { isFresh: false, probe: true })
  const ready = succeeded(peopleInMove, prepared)
  const { rows, outcomes: fenced } = yield* fence(ready)
  const settled = succeeded(ready, fenced).map((person) => ({
    ...person,
    accounts: (rows.get(person.userId) ?? []).filter((row) => row !== null),
  }))
  const before = new Map(peopleInMove.map(({ userId, accounts }) => [userId, accounts]))
  const changed = settled.filter(({ userId, accounts }) => isChanged(before.get(userId) ?? [], accounts))
  // These grants were refreshed or set while others were being copied.
  const copied = yield* copyGrants(changed, { isFresh: false, probe: false })
  const unready = new Set(changed.filter((person) => !succeeded(changed, copied).includes(person)))
  const given = yield* give(settled.filter((person) => !unready.has(person)))
  const handed = yield* handOver(given.filter(({ accounts }) => accounts.some(({ holder }) => holder === "object")))
  const givenById = new Map(given.map((person) => [person.userId, person]))
  const outcomes = latest<unknown>(prepared, fenced, copied, handed)
  const taken = new Map(
    peopleInMove.map(({ userId }): [string, Outcome<StepResult>] => {
      const outcome = outcomes.get(userId) ?? Result.fail(new Overtaken())
      if (Result.isFailure(outcome)) return [userId, Result.fail(outcome.failure)]
      const person = givenById.get(userId)
      if (person === undefined || !isAllGiven(person)) return [userId, Result.fail(new Overtaken())]
      const object = Option.flatMap(Option.fromUndefinedOr(handed.get(userId)), Result.getSuccess)
      return [userId, Result.succeed({ isVerified: true, ...Option.getOrElse(object, () => ({})) })]
    }),
  )
  yield* unfence(peopleInMove, taken)
  return taken as Outcomes<StepResult>
})

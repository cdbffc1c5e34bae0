import { Clock, Effect, Result } from "effect"
import { Database, statement } from "../Database.ts"
import { type AccountRow, type AccountsOf, readAccounts } from "../person/accounts.ts"
import { leasedBy } from "../person/lease.ts"
import { PageSettings } from "../person/PageSettings.ts"
import { type Outcomes, type PersonInMove, succeeded } from "../person/PersonInMove.ts"
import { failed, type Overtaken, type StepFailed } from "../person/reason.ts"

/** How long new refreshes stay fenced out if a hand-over dies, in milliseconds. */
const fenceMs = 60_000

/** Interval at which the end of a refresh is checked, in milliseconds. */
const checkEveryMs = 250

const raise = `UPDATE user_accounts SET fenced_until = ?2
  WHERE holder = 'database' AND user_id IN (SELECT value FROM json_each(?1)) AND ${leasedBy(3)}`

const lower = `UPDATE user_accounts SET fenced_until = NULL
  WHERE holder = 'database' AND user_id IN (SELECT value FROM json_each(?1)) AND ${leasedBy(2)}`

const idsOf = (people: ReadonlyArray<{ readonly userId: string }>) => JSON.stringify(people.map(({ userId }) => userId))

const isClaimed = (row: AccountRow | null, now: number): boolean =>
  row !== null && row.holder === "database" && (row.claimedUntil ?? 0) > now

/**
 * Keeps D1's side from starting to refresh these people's grants, waits for the refreshes under way, and returns the rows as they are then.
 * A person whose refresh does not end in time fails, and is retried.
 */
export const fence = Effect.fn("fence")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const { claimWaitMs, lease } = yield* PageSettings
  if (peopleInMove.length === 0) return { rows: new Map() as AccountsOf, outcomes: new Map() as Outcomes<void> }
  const fencedAt = yield* Clock.currentTimeMillis
  // Rows that an object holds already are not fenced, but read with the others.
  yield* database.rows("fence", statement(raise, idsOf(peopleInMove), fencedAt + fenceMs, lease))
  let rows = yield* readAccounts(peopleInMove.map(({ userId }) => userId))
  let now = yield* Clock.currentTimeMillis
  const isWaiting = () => [...rows.values()].flat().some((row) => isClaimed(row, now))
  while (isWaiting() && now < fencedAt + claimWaitMs) {
    yield* Effect.sleep(checkEveryMs)
    rows = yield* readAccounts(peopleInMove.map(({ userId }) => userId))
    now = yield* Clock.currentTimeMillis
  }
  const outcomes = new Map(
    peopleInMove.map(({ userId }): [string, Result.Result<void, StepFailed | Overtaken>] => {
      const claimed = rows.get(userId)?.find((row) => isClaimed(row, now))
      return [
        userId,
        claimed === undefined || claimed === null
          ? Result.void
          : Result.fail(failed("refresh_under_way", claimed.provider)),
      ]
    }),
  )
  return { rows, outcomes: outcomes as Outcomes<void> }
})

/** Lets D1's side refresh again the grants that were not handed over. */
export const unfence = Effect.fn("unfence")(function* (
  peopleInMove: ReadonlyArray<PersonInMove>,
  outcomes: Outcomes<unknown>,
) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const done = new Set(succeeded(peopleInMove, outcomes))
  const left = peopleInMove.filter((person) => !done.has(person))
  if (left.length > 0) yield* database.rows("unfence", statement(lower, idsOf(left), lease))
})

import { Clock, Effect, Result } from "effect"
import { Database, statement } from "../Database.ts"
import { type AccountRow, type AccountsOf, readAccounts } from "../person/accounts.ts"
import { PageSettings } from "../person/PageSettings.ts"
import { type Outcomes, type PersonInMove, succeeded } from "../person/PersonInMove.ts"
import { failed, type Overtaken, type StepFailed } from "../person/reason.ts"

/** How long a hand-over keeps new refreshes out, if it dies before it is done, in milliseconds. */
const fenceMs = 60_000

/** How often it is looked whether a refresh has ended, in milliseconds. */
const lookEveryMs = 250

const raise = `UPDATE user_accounts SET fenced_until = ?2
  WHERE holder = 'database' AND user_id IN (SELECT value FROM json_each(?1))`

const lower = `UPDATE user_accounts SET fenced_until = NULL
  WHERE holder = 'database' AND user_id IN (SELECT value FROM json_each(?1))`

const idsOf = (people: ReadonlyArray<{ readonly userId: string }>) => JSON.stringify(people.map(({ userId }) => userId))

const isClaimed = (row: AccountRow | null, now: number): boolean =>
  row !== null && row.holder === "database" && (row.claimedUntil ?? 0) > now

/**
 * Keeps D1's side from beginning to refresh these people's grants, waits until none is being refreshed, and tells what their rows say
 * then. Whose refresh does not end in time is left for another attempt.
 */
export const fence = Effect.fn("fence")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const { claimWaitMs } = yield* PageSettings
  if (peopleInMove.length === 0) return { rows: new Map() as AccountsOf, outcomes: new Map() as Outcomes<void> }
  const fencedAt = yield* Clock.currentTimeMillis
  // Rows that an object holds already are not D1's to fence, and are read with the others.
  yield* database.rows("fence", statement(raise, idsOf(peopleInMove), fencedAt + fenceMs))
  let rows = yield* readAccounts(peopleInMove.map(({ userId }) => userId))
  let now = yield* Clock.currentTimeMillis
  const isWaiting = () => [...rows.values()].flat().some((row) => isClaimed(row, now))
  while (isWaiting() && now < fencedAt + claimWaitMs) {
    yield* Effect.sleep(lookEveryMs)
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

/** Lets D1's side refresh again what was not handed over after all. */
export const unfence = Effect.fn("unfence")(function* (
  peopleInMove: ReadonlyArray<PersonInMove>,
  outcomes: Outcomes<unknown>,
) {
  const database = yield* Database
  const done = new Set(succeeded(peopleInMove, outcomes))
  const left = peopleInMove.filter((person) => !done.has(person))
  if (left.length > 0) yield* database.rows("unfence", statement(lower, idsOf(left)))
})

import { Effect } from "effect"
import type { Misconfigured } from "../../domain/error.ts"
import { checkBounds, readSettings, wholeNumber } from "../../domain/settings.ts"
import type { MigrationEnv } from "../env.ts"

const name = "MOVE_REQUEST_LIMIT"

/**
 * Subrequests that an instance may make over all its steps. Cloudflare ends one that makes more than 10,000, unless `limits.subrequests`
 * raises that: https://developers.cloudflare.com/workflows/reference/limits/
 */
export const readCallLimit = (env: Pick<MigrationEnv, typeof name>): Effect.Effect<number, Misconfigured> =>
  readSettings(wholeNumber(name, 9000), env).pipe(
    Effect.tap((value) => checkBounds([{ name, value, minimum: 200, maximum: 10_000_000 }])),
  )

/** The most subrequests of a page besides those to objects: its statements, and its heartbeats over a quarter of an hour. */
const callsPerPage = 110

/**
 * The most subrequests that one step of one person takes: to hand over, two fingerprints and an import, the same again behind the fence
 * after a change, and a take-over with a second import, a second try and the mirror.
 */
const callsPerPerson = 9

/** People for whom so many calls are enough, up to a page's size. */
const peopleWithin = (calls: number, pageSize: number): number =>
  Math.max(0, Math.min(pageSize, Math.floor((calls - callsPerPage) / callsPerPerson)))

/**
 * People of the next page of an instance that has `left` of `limit` calls; 0 where another instance is to go on: it could take more
 * than twice as many.
 */
export const pageSizeWithin = ({ limit, left, pageSize }: CallBudget): number => {
  const atMost = Math.max(1, peopleWithin(limit, pageSize))
  const now = peopleWithin(left, pageSize)
  return now * 2 < atMost ? 0 : Math.max(1, now)
}

interface CallBudget {
  readonly limit: number
  readonly left: number
  /** People of a page, as the run was asked. */
  readonly pageSize: number
}

/** People whose hand-overs one invocation may finish, where an instance has so many calls: half as many are left for it. */
export const handOversWithin = (limit: number, atMost: number): number =>
  Math.max(1, peopleWithin(limit / 2 + callsPerPage - 20, atMost))

import { Effect } from "effect"
import { stages } from "../../domain/stage.ts"
import type { Progress } from "../api/runs.ts"
import { Database, statement } from "../Database.ts"
import { decodeFlags, selectFlags, toRollout } from "../Flags.ts"
import { aimOf } from "../page/aim.ts"
import { candidatesAfter, decodeCandidates, positionOf } from "../page/candidates.ts"
import type { RunInHand } from "../page/look.ts"

/** People read by one statement: ids and stages only. */
const readAtOnce = 5000

/** Statements of one part of a survey; a part is one step of the run, far below the CPU time of one. */
const statementsPerPart = 20

type Route = Progress["routes"][number]

/** Who has where to go, as far as it has been counted. */
export interface Survey {
  readonly routes: ReadonlyArray<Route>
  readonly cursor: string
  readonly isEnd: boolean
}

export const emptySurvey: Survey = { routes: [], cursor: "", isEnd: false }

/** People who have a step to take, and the steps that they take together. */
export const totalsOf = ({ routes }: Survey) => ({
  people: routes.reduce((sum, { people }) => sum + people, 0),
  steps: routes.reduce(
    (sum, { from, to, people }) => sum + people * Math.abs(stages.indexOf(to) - stages.indexOf(from)),
    0,
  ),
})

/** Counts on: who should be elsewhere than they are. Writes nothing. */
export const countOn = Effect.fn("countOn")(function* (run: RunInHand, before: Survey) {
  const database = yield* Database
  const routes = new Map(before.routes.map((route) => [`${route.from} ${route.to}`, route]))
  let { cursor, isEnd } = before
  for (let part = 0; part < statementsPerPart && !isEnd; part++) {
    const [flags = [], rows = []] = yield* database.batch("survey", [
      selectFlags,
      candidatesAfter(cursor, readAtOnce, run.parameters.people),
    ])
    const rollout = toRollout(yield* decodeFlags(flags))
    const candidates = yield* decodeCandidates(rows)
    for (const candidate of candidates) {
      const { stage: from } = positionOf(candidate)
      const to = rollout.isHalted ? from : (aimOf(candidate, run, rollout)?.target ?? from)
      if (from === to) continue
      const key = `${from} ${to}`
      routes.set(key, { from, to, people: (routes.get(key)?.people ?? 0) + 1 })
    }
    cursor = candidates.at(-1)?.userId ?? cursor
    isEnd = candidates.length < readAtOnce
  }
  return { routes: [...routes.values()], cursor, isEnd } satisfies Survey
})

/** Most people of whom it is remembered that somebody else has their grant. */
const duplicatesAtMost = 10_000

const selectDuplicates = `SELECT DISTINCT user_id AS userId FROM user_accounts WHERE (provider, refresh_token) IN (
    SELECT provider, refresh_token FROM user_accounts WHERE refresh_token <> '' AND is_active AND state = 'connected'
    GROUP BY provider, refresh_token HAVING count(*) > 1)
  ORDER BY user_id LIMIT ?1`

/** People whose grant is in somebody else's rows as well: two objects that refresh it would destroy it between them. One statement. */
export const findDuplicates = Effect.fn("findDuplicates")(function* () {
  const database = yield* Database
  const rows = yield* database.rows("duplicates", statement(selectDuplicates, duplicatesAtMost))
  return rows.map(({ userId }) => String(userId))
})

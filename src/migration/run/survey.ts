import { Effect } from "effect"
import { stages } from "../../domain/stage.ts"
import type { Progress } from "../api/runs.ts"
import { Database, statement } from "../Database.ts"
import { decodeFlags, rolloutOf, selectFlags } from "../Flags.ts"
import { candidatesAfter, decodeCandidates, positionOf } from "../page/candidates.ts"
import { chooseStep } from "../page/choose.ts"
import { destinationOf } from "../page/destination.ts"
import type { StartedRun } from "../runs/parameters.ts"

/** People that one statement reads: ids and stages only. */
const readAtOnce = 5000

/** Statements in one part of a survey. A part is one step of the run, and stays far below a step's CPU limit. */
const statementsPerPart = 20

type Route = Progress["routes"][number]

/** People counted so far by the stages that they go from and to. */
export interface Survey {
  readonly routes: ReadonlyArray<Route>
  readonly cursor: string
  readonly isEnd: boolean
}

export const emptySurvey: Survey = { routes: [], cursor: "", isEnd: false }

/** The number of people who have a step to take, and of the steps that they take together. */
export const totalsOf = ({ routes }: Survey) => ({
  people: routes.reduce((sum, { people }) => sum + people, 0),
  steps: routes.reduce(
    (sum, { from, to, people }) => sum + people * Math.max(1, Math.abs(stages.indexOf(to) - stages.indexOf(from))),
    0,
  ),
})

/** Continues a survey: counts the people who have a step to take. Writes nothing. */
export const countOn = Effect.fn("countOn")(function* (run: StartedRun, before: Survey) {
  const database = yield* Database
  const routes = new Map(before.routes.map((route) => [`${route.from} ${route.to}`, route]))
  let { cursor, isEnd } = before
  for (let part = 0; part < statementsPerPart && !isEnd; part++) {
    const [flags = [], rows = []] = yield* database.batch("survey", [
      selectFlags,
      candidatesAfter(cursor, readAtOnce, run.parameters.people),
    ])
    const rollout = rolloutOf(yield* decodeFlags(flags))
    const candidates = yield* decodeCandidates(rows)
    for (const candidate of candidates) {
      const destination = rollout.isHalted ? null : destinationOf(candidate, run, rollout)
      if (destination === null) continue
      const position = positionOf(candidate)
      const { stage: from } = position
      const { target: to } = destination
      // Somebody at their destination may have a step that puts a holder right, or undoes what was begun.
      if (from === to && chooseStep(position, to) === null) continue
      const key = `${from} ${to}`
      routes.set(key, { from, to, people: (routes.get(key)?.people ?? 0) + 1 })
    }
    cursor = candidates.at(-1)?.userId ?? cursor
    isEnd = candidates.length < readAtOnce
  }
  return { routes: [...routes.values()], cursor, isEnd } satisfies Survey
})

const forgetOld = `DELETE FROM migration_duplicates
  WHERE run_id NOT IN (SELECT id FROM migration_runs WHERE state IN ('running', 'paused'))`

// Of everybody who has the grant: who may not use it now is not moved beside two who may.
const insertDuplicates = `INSERT INTO migration_duplicates (run_id, user_id)
  SELECT DISTINCT ?1, person.value FROM (
    SELECT json_group_array(user_id) AS people FROM user_accounts WHERE refresh_token <> '' GROUP BY provider, refresh_token
    HAVING count(*) FILTER (WHERE is_active AND state = 'connected') > 1), json_each(people) person WHERE true
  ON CONFLICT DO NOTHING`

const countDuplicates = "SELECT count(*) AS people FROM migration_duplicates WHERE run_id = ?1"

/**
 * Finds people whose grant is in somebody else's rows as well: each object's refresh would invalidate the other's token. Keeps them in
 * D1, however many they are, and returns their number. Three statements.
 */
export const findDuplicates = Effect.fn("findDuplicates")(function* (runId: string) {
  const database = yield* Database
  const [, , counted = []] = yield* database.batch("duplicates", [
    statement(forgetOld),
    statement(insertDuplicates, runId),
    statement(countDuplicates, runId),
  ])
  const people = Number(counted[0]?.["people"])
  if (people > 0) yield* Effect.logWarning(`${people} people have a grant that somebody else has too: none is moved`)
  return people
})

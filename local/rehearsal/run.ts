import { Clock, Effect, Fiber, Ref } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { MigrationWorker } from "../../src/cli/operate/MigrationWorker.ts"
import { dropConfirmation } from "../../src/migration/api/drop.ts"
import { measureAfter } from "./after.ts"
import { measureBefore } from "./before.ts"
import { armFaults } from "./faults.ts"
import type { Figures } from "./figures.ts"
import { live, noEvents } from "./life.ts"
import { advance, advanceThroughKill, moveAgain, rollBack } from "./move.ts"
import type { RehearsalOptions } from "./options.ts"
import { insertPeople, makePeople, type Person } from "./people.ts"
import type { Surroundings } from "./result.ts"
import type { Pace } from "./settings.ts"

/** People who move first: colleagues. */
const internalPeople = 5
/** How long life goes on after the last step, so that what happens then is seen too. */
const afterwards = "3 seconds"

const dropTokenColumns = Effect.gen(function* () {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  yield* ask(({ drop }) => drop.dropTokenColumns({ payload: { confirm: dropConfirmation } }))
  yield* display.line("The token columns of D1 are dropped.")
})

/** Moves everybody as the runbook says. Returns how long the migrator took people forward for the first time, in milliseconds. */
const moveEverybody = Effect.fnUntraced(function* (people: ReadonlyArray<Person>, faultPercent: number) {
  const internal = people.slice(0, internalPeople).map(({ id }) => id)
  const pageSize = Math.max(2, Math.min(500, Math.ceil(people.length / 20)))
  const times = [
    yield* advance("internal people, live", { stage: "live", people: internal }),
    yield* advance("10 %, live", { stage: "live", percentage: 10 }),
    yield* advanceThroughKill("50 %, live", { stage: "live", percentage: 50 }, { pageSize, faultPercent }),
    yield* advance("100 %, live", { stage: "live", percentage: 100 }),
  ]
  const rolledBack = yield* rollBack("a tenth, rolled back", people, "off")
  yield* moveAgain("a tenth, moved again", rolledBack)
  times.push(
    yield* advance("100 %, rampdown", { stage: "rampdown", percentage: 100 }),
    yield* advance("100 %, complete", { stage: "complete", percentage: 100 }),
  )
  yield* dropTokenColumns
  return times.reduce((sum, ms) => sum + ms, 0)
})

/** Runs the rehearsal, from the first row in D1 to the verdict. `startedAt`: epoch milliseconds of the command's start. */
export const runRehearsal = Effect.fn("runRehearsal")(function* (
  { users, faults }: RehearsalOptions,
  pace: Pace,
  startedAt: number,
) {
  const people = yield* makePeople(users)
  yield* insertPeople(people)
  const before = yield* measureBefore(people)

  yield* armFaults(faults)
  const events = yield* noEvents
  const life = yield* Effect.forkChild(live(people, pace, events))
  const movingMs = yield* Effect.raceFirst(
    moveEverybody(people, faults),
    // Life ends by itself only when something in it is broken beyond repair.
    Effect.andThen(Fiber.join(life), Effect.never),
  )
  yield* Effect.sleep(afterwards)
  yield* Fiber.interrupt(life)

  const after = yield* measureAfter(people, events)
  const figures: Figures = {
    users,
    moved: after.moved,
    rolledBack: after.rolledBack,
    tokensLost: after.grants.tokensLost,
    doubleRefreshes: after.grants.doubleRefreshes,
    itemsPublished: after.published,
    itemsLost: after.feeds.lost,
    itemsDoubled: after.feeds.doubled,
    reauthorizations: after.grants.reauthorizations,
    tokenQueriesBefore: before.tokenQueries,
    tokenQueriesAfter: after.tokenQueries,
    cronMsBefore: before.cronMs,
    cronMsAfter: after.cronMs,
    usersPerSecond: Math.round((users / movingMs) * 10_000) / 10,
    seconds: ((yield* Clock.currentTimeMillis) - startedAt) / 1000,
  }
  const surroundings: Surroundings = {
    tokensSet: yield* Ref.get(events.tokensSet),
    refreshes: after.grants.refreshes,
    delivered: after.feeds.delivered,
    cronRuns: yield* Ref.get(events.cronRuns),
    faultPercent: faults,
    mostSubrequests: after.mostSubrequests,
    memoryMb: after.memoryMb,
  }
  return { figures, surroundings }
})

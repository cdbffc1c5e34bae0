import { Effect, Option, Result } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import type { PageSettings } from "../person/PageSettings.ts"
import type { Outcome, StepResult } from "../person/PersonInMove.ts"
import { Overtaken, StepFailed } from "../person/reason.ts"
import type { PlannedStep } from "./PlannedStep.ts"
import { readPeople } from "./readPeople.ts"

/** A step, and how it ended. */
export interface TakenStep {
  readonly planned: PlannedStep
  readonly outcome: Outcome<StepResult>
}

const byTransition = (steps: ReadonlyArray<PlannedStep>) => Map.groupBy(steps, ({ step }) => step.transition)

/** Takes each of these people one step. A failure of one person is that person's outcome alone. */
export const takeSteps = Effect.fn("takeSteps")(function* (
  steps: ReadonlyArray<PlannedStep>,
  runId: string,
): Effect.fn.Return<ReadonlyArray<TakenStep>, DatabaseUnavailable, Core | Database | FeedSources | PageSettings> {
  const { refused, peopleInMove } = yield* readPeople(steps, runId)
  const outcomes = new Map<string, Outcome<StepResult>>()
  for (const [userId, problem] of refused) outcomes.set(userId, Result.fail(problem))
  const toTake = steps.filter(({ userId }) => peopleInMove.has(userId))
  for (const [{ take }, group] of byTransition(toTake)) {
    const taken = yield* take(
      group.flatMap(({ userId }) => Option.toArray(Option.fromUndefinedOr(peopleInMove.get(userId)))),
    )
    for (const [userId, outcome] of taken) outcomes.set(userId, outcome)
  }
  return steps.map((planned) => ({
    planned,
    outcome: outcomes.get(planned.userId) ?? Result.fail(new Overtaken()),
  }))
})

/** Failures of a page that are logged with their details. */
const failuresLogged = 5

/** Logs the first failures of these steps. */
export const logFailures = (taken: ReadonlyArray<TakenStep>) =>
  Effect.forEach(
    taken
      .flatMap(({ planned, outcome }) =>
        Result.isFailure(outcome) && outcome.failure instanceof StepFailed
          ? [{ planned, failure: outcome.failure }]
          : [],
      )
      .slice(0, failuresLogged),
    ({ planned: { userId, step }, failure }) => {
      const { from, to } = step.transition
      return Effect.logWarning(`${userId} was not taken from ${from} to ${to}`, failure.message)
    },
    { discard: true },
  )

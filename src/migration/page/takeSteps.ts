import { Effect, Option, Result, Schema } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import { hasReached, holderAt } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import { type AccountsOf, readAccounts } from "../person/accounts.ts"
import type { PageSettings } from "../person/PageSettings.ts"
import type { Outcome, PersonInMove, StepResult } from "../person/PersonInMove.ts"
import { failed, Overtaken, type StepFailed } from "../person/reason.ts"
import type { Step } from "./choose.ts"
import type { InHand } from "./record.ts"

const decodeUserId = Schema.decodeUnknownOption(UserId)

/** Whether a step needs D1's rows to be in order: it carries what they say to the object. */
const isCarrying = ({ transition: { from, to }, isUndo }: Step): boolean =>
  !isUndo && holderAt(from) === "database" && hasReached(to, from)

/** Where the same grant is in two people's rows, neither is moved: two objects would destroy it between them. */
const whyNot = (inHand: InHand, accounts: AccountsOf, duplicates: ReadonlySet<string>): StepFailed | null => {
  const { userId, step } = inHand
  if (Option.isNone(decodeUserId(userId))) return failed("unreadable_user", "no object can have this name")
  if (isCarrying(step) && duplicates.has(userId)) return failed("duplicate_account", "somebody else has the same grant")
  return accounts.get(userId)?.includes(null)
    ? failed("unreadable_row", "a column of it is not what it should be")
    : null
}

/** People with what D1 has of them, and those of whom it has something that cannot be moved. */
export const sort = Effect.fn("sort")(function* (people: ReadonlyArray<InHand>, duplicates: ReadonlySet<string>) {
  const accounts = yield* readAccounts(people.map(({ userId }) => userId))
  const refused = new Map<string, StepFailed>()
  const peopleInMove = new Map<string, PersonInMove>()
  for (const inHand of people) {
    const problem = whyNot(inHand, accounts, duplicates)
    if (problem !== null) refused.set(inHand.userId, problem)
    else {
      const rows = (accounts.get(inHand.userId) ?? []).filter((row) => row !== null)
      peopleInMove.set(inHand.userId, { userId: UserId.make(inHand.userId), accounts: rows })
    }
  }
  return { refused, peopleInMove }
})

/** People by the transition that they take. */
const byTransition = (people: ReadonlyArray<InHand>) => Map.groupBy(people, ({ step }) => step.transition)

/** Takes each of these people one step. What goes wrong for one is that one's outcome. */
export const takeSteps = Effect.fn("takeSteps")(function* (
  people: ReadonlyArray<InHand>,
  duplicates: ReadonlySet<string>,
): Effect.fn.Return<
  ReadonlyArray<{ readonly inHand: InHand; readonly outcome: Outcome<StepResult> }>,
  DatabaseUnavailable,
  Core | Database | FeedSources | PageSettings
> {
  const { refused, peopleInMove } = yield* sort(people, duplicates)
  const outcomes = new Map<string, Outcome<StepResult>>()
  for (const [userId, problem] of refused) outcomes.set(userId, Result.fail(problem))
  const toTake = people.filter(({ userId }) => peopleInMove.has(userId))
  for (const [{ take }, group] of byTransition(toTake)) {
    const taken = yield* take(
      group.flatMap(({ userId }) => Option.toArray(Option.fromUndefinedOr(peopleInMove.get(userId)))),
    )
    for (const [userId, outcome] of taken) outcomes.set(userId, outcome)
  }
  return people.map((inHand) => ({ inHand, outcome: outcomes.get(inHand.userId) ?? Result.fail(new Overtaken()) }))
})

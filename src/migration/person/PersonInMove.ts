import { Cause, Effect, Exit, Option, Result } from "effect"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "./accounts.ts"
import { PageSettings } from "./PageSettings.ts"
import { failed, type Overtaken, type StepFailed } from "./reason.ts"

/** A person, with their accounts in D1. */
export interface Person {
  readonly userId: UserId
  readonly accounts: ReadonlyArray<AccountRow>
}

/** A person who takes a step. */
export interface PersonInMove extends Person {
  /** The number of the lease, with which objects tell a page from one that has the person in hand no longer; 0 in a dry run. */
  readonly lease: number
}

/** The result of a step. */
export interface StepResult {
  /** Whether the step compared the object's grants with D1's. */
  readonly isVerified: boolean
  /** The object that polls for the person from now on; `null` for none; left out where the step does not change it. */
  readonly durableObjectId?: string | null
  /** The sum of the generations of the rows that were copied. The step is overtaken if it has changed. */
  readonly generations?: number
}

export type Outcome<A> = Result.Result<A, StepFailed | Overtaken>

/** By user id. */
export type Outcomes<A> = ReadonlyMap<string, Outcome<A>>

/** Does something for each person, several at once, and returns each outcome. A failure or defect of one person stops nobody else. */
export const forEachPerson = Effect.fnUntraced(function* <P extends { readonly userId: string }, A, R>(
  people: ReadonlyArray<P>,
  take: (person: P) => Effect.Effect<A, StepFailed | Overtaken, R>,
) {
  const { concurrency, onAnswer } = yield* PageSettings
  const outcomes = yield* Effect.forEach(
    people,
    (person) =>
      Effect.exit(take(person)).pipe(
        Effect.flatMap((exit) => toOutcome(exit)),
        Effect.tap(onAnswer),
        Effect.map((outcome) => [person.userId, outcome] as const),
      ),
    { concurrency },
  )
  return new Map(outcomes) as Outcomes<A>
})

const toOutcome = Effect.fnUntraced(function* <A>(exit: Exit.Exit<A, StepFailed | Overtaken>) {
  if (Exit.isSuccess(exit)) return Result.succeed(exit.value)
  const expected = Cause.findErrorOption(exit.cause)
  if (Option.isSome(expected)) return Result.fail(expected.value)
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
  yield* Effect.logError("A step failed unexpectedly", exit.cause)
  return Result.fail(failed("object_failed", "the migrator's log has the details"))
})

/** Returns the people whose outcome is a success. */
export const succeeded = <P extends { readonly userId: string }, A>(
  people: ReadonlyArray<P>,
  outcomes: Outcomes<A>,
): ReadonlyArray<P> =>
  people.filter(({ userId }) => {
    const outcome = outcomes.get(userId)
    return outcome !== undefined && Result.isSuccess(outcome)
  })

/** Merges rounds of outcomes: the last round that has a person counts. */
export const latest = <A>(...rounds: ReadonlyArray<Outcomes<A>>): Outcomes<A> =>
  new Map(rounds.flatMap((round) => [...round]))

/** Replaces the value of each successful outcome by the result of the step. */
export const toStepResults = <P extends { readonly userId: string }>(
  people: ReadonlyArray<P>,
  outcomes: Outcomes<unknown>,
  toResult: (person: P) => StepResult,
): Outcomes<StepResult> =>
  new Map(
    people.flatMap((person) => {
      const outcome = outcomes.get(person.userId)
      return outcome === undefined ? [] : [[person.userId, Result.map(outcome, () => toResult(person))] as const]
    }),
  )

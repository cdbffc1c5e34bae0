import { Cause, Effect, Exit, Option, Result } from "effect"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "./accounts.ts"
import { PageSettings } from "./PageSettings.ts"
import { failed, type Overtaken, type StepFailed } from "./reason.ts"

/** Somebody who is being taken a step, with what D1 has of them. */
export interface PersonInMove {
  readonly userId: UserId
  readonly accounts: ReadonlyArray<AccountRow>
}

/** What a step came to. */
export interface StepResult {
  /** Whether what the object opens was found to be what D1 has. */
  readonly isVerified: boolean
  /** The object that polls for the person from now on; `null` when none does any more; left out when that did not change. */
  readonly durableObjectId?: string | null
  /** The generations of the rows that were copied: with others the step is overtaken. */
  readonly generations?: number
}

export type Outcome<A> = Result.Result<A, StepFailed | Overtaken>

/** By user id. */
export type Outcomes<A> = ReadonlyMap<string, Outcome<A>>

/**
 * Does something for each person, some at once, and tells how it went for each: what goes wrong for one, whatever it is, stops nobody
 * else.
 */
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

/** Those of whom this went well. */
export const succeeded = <P extends { readonly userId: string }, A>(
  people: ReadonlyArray<P>,
  outcomes: Outcomes<A>,
): ReadonlyArray<P> =>
  people.filter(({ userId }) => {
    const outcome = outcomes.get(userId)
    return outcome !== undefined && Result.isSuccess(outcome)
  })

/** Of each person what the latest of these says. */
export const latest = <A>(...rounds: ReadonlyArray<Outcomes<A>>): Outcomes<A> =>
  new Map(rounds.flatMap((round) => [...round]))

/** The same outcomes, with what each step that went well came to. */
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

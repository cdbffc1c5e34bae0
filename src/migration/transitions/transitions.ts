import type { Effect } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import { nextStage, type Stage, type stages } from "../../domain/stage.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import type { PageSettings } from "../person/PageSettings.ts"
import type { Outcomes, PersonInMove, StepResult } from "../person/PersonInMove.ts"
import {
  type Check,
  checkCompletion,
  checkHandOver,
  checkNothing,
  checkRows,
  checkSeals,
  checkSomeSeal,
} from "./checks.ts"
import { complete } from "./complete.ts"
import { copy } from "./copy.ts"
import { discard } from "./discard.ts"
import { giveBack } from "./giveBack.ts"
import { keepCopy } from "./keepCopy.ts"
import { mirrorAgain, stopMirror } from "./mirror.ts"
import { restore } from "./restore.ts"
import { takeOver } from "./takeOver.ts"

/**
 * Takes a page of people from one stage to a neighbouring one. May be killed at any await and run again, and copes with whatever the
 * transition that leads the other way has left half-done. Its D1 statements do not grow with the people.
 */
type Take = (
  people: ReadonlyArray<PersonInMove>,
) => Effect.Effect<Outcomes<StepResult>, DatabaseUnavailable, Core | Database | FeedSources | PageSettings>

interface Row<From, To> {
  readonly from: From
  readonly to: To
  readonly take: Take
  /** Runs instead of `take` in a dry run. */
  readonly check: Check
}

/** A row for every two neighbouring stages, there and back, in order: a table with more rows or fewer does not compile. */
type Rows<Stages> = Stages extends readonly [infer Earlier, infer Later, ...infer Rest]
  ? readonly [Row<Earlier, Later>, Row<Later, Earlier>, ...Rows<readonly [Later, ...Rest]>]
  : readonly []

export type Transitions = Rows<typeof stages>
export type Transition = Transitions[number]

/** All transitions between stages: nobody reaches a stage in any other way. */
export const transitions: Transitions = [
  { from: "off", to: "dual_write", take: copy({ isFresh: true }), check: checkRows },
  { from: "dual_write", to: "off", take: discard, check: checkNothing },
  { from: "dual_write", to: "shadow", take: copy({ isFresh: false }), check: checkRows },
  { from: "shadow", to: "dual_write", take: keepCopy, check: checkNothing },
  { from: "shadow", to: "live", take: takeOver, check: checkHandOver },
  { from: "live", to: "shadow", take: giveBack, check: checkSeals },
  { from: "live", to: "rampdown", take: stopMirror, check: checkNothing },
  { from: "rampdown", to: "live", take: mirrorAgain, check: checkSomeSeal },
  { from: "rampdown", to: "complete", take: complete, check: checkCompletion },
  { from: "complete", to: "rampdown", take: restore, check: checkSomeSeal },
]

/** Returns the transition from one stage to another; `null` unless they are neighbours. */
export const transitionBetween = (from: Stage, to: Stage): Transition | null =>
  transitions.find((transition) => transition.from === from && transition.to === to) ?? null

/** Returns the transition that leads one stage nearer to `target`; `null` at the target itself. */
export const transitionTowards = (from: Stage, target: Stage): Transition | null => {
  const next = nextStage(from, target)
  return next === null ? null : transitionBetween(from, next)
}

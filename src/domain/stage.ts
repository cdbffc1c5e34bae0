import { Schema } from "effect"

/**
 * How far a person has moved from tokens in D1 to an object of their own, in order:
 *
 * - `off`: D1 holds the grant, and the legacy poller polls.
 * - `dual_write`: as `off`, and the object keeps a copy of every token that is set or refreshed.
 * - `shadow`: as `dual_write`, and reads compare both and answer from D1.
 * - `live`: the object holds the grant and polls; D1 is kept a mirror of the newest tokens.
 * - `rampdown`: as `live`, and the mirror is not written any more.
 * - `complete`: the token columns of this person are null.
 */
export const stages = ["off", "dual_write", "shadow", "live", "rampdown", "complete"] as const
export const Stage = Schema.Literals(stages)
export type Stage = typeof Stage.Type

/** The stages that have a percentage: everybody is at `off` without one. */
export const movedStages = ["dual_write", "shadow", "live", "rampdown", "complete"] as const
export type MovedStage = (typeof movedStages)[number]

const rank = (stage: Stage): number => stages.indexOf(stage)

/** The stage one step from `from` towards `to`; `null` when that is where they are. */
export const nextStage = (from: Stage, to: Stage): Stage | null =>
  from === to ? null : (stages[rank(from) + Math.sign(rank(to) - rank(from))] ?? null)

/** Whether `stage` is `mark` or beyond. */
export const hasReached = (stage: Stage, mark: Stage): boolean => rank(stage) >= rank(mark)

/** Which side may refresh a grant. */
export const Holder = Schema.Literals(["database", "object"])
export type Holder = typeof Holder.Type

/** Who holds the grants of somebody who is at a stage. */
export const holderAt = (stage: Stage): Holder => (hasReached(stage, "live") ? "object" : "database")

/** The stage that comes first of the two. */
export const earlierStage = (a: Stage, b: Stage): Stage => (hasReached(a, b) ? b : a)

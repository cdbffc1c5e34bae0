import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { movedStages, Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment } from "./schemas.ts"

const MovedStage = Schema.Literals(movedStages)

/** Longest list of people in a flag; a row of D1 holds it. */
const listedAtMost = 10_000

const Listed = Schema.Array(UserId).pipe(
  Schema.check(Schema.isMaxLength(listedAtMost, { message: `must have at most ${listedAtMost} entries` })),
)

/** Who should be at a stage, or beyond it. */
const StageFlag = Schema.Struct({
  stage: MovedStage,
  /** While false, neither percentage nor list count. */
  isEnabled: Schema.Boolean,
  /** 0 to 100, with two decimals. */
  percentage: Schema.Finite,
  allowList: Schema.Array(Schema.String),
  updatedAt: Moment,
})

export const Flags = Schema.Struct({
  /** The kill switch: while it is set, nobody is taken a step further, forward or back. */
  isHalted: Schema.Boolean,
  /** Who stays at `off`, or goes back there. */
  denyList: Schema.Array(Schema.String),
  stages: Schema.Array(StageFlag),
})
export type Flags = typeof Flags.Type

/** How a list changes: `set` replaces it; then `add` and `remove`. */
export const ListChange = Schema.Struct({
  set: Schema.optionalKey(Listed),
  add: Schema.optionalKey(Listed),
  remove: Schema.optionalKey(Listed),
})
export type ListChange = typeof ListChange.Type

/** 0 to 100, with at most two decimals. */
export const Percentage = Schema.Finite.pipe(
  Schema.check(
    Schema.isBetween({ minimum: 0, maximum: 100 }, { message: "must be 0 to 100" }),
    Schema.makeFilter((value: number) =>
      Math.abs(value * 100 - Math.round(value * 100)) < 1e-9 ? undefined : "must have at most two decimals",
    ),
  ),
)

export const StageFlagChange = Schema.Struct({
  isEnabled: Schema.optionalKey(Schema.Boolean),
  percentage: Schema.optionalKey(Percentage),
  allowList: Schema.optionalKey(ListChange),
})
export type StageFlagChange = typeof StageFlagChange.Type

export const MoveFlagChange = Schema.Struct({
  isHalted: Schema.optionalKey(Schema.Boolean),
  denyList: Schema.optionalKey(ListChange),
})
export type MoveFlagChange = typeof MoveFlagChange.Type

/** Where everybody should be. Every change answers with all flags as they are then. */
export class FlagsGroup extends HttpApiGroup.make("flags")
  .add(
    HttpApiEndpoint.get("getFlags", "/v1/flags", { success: Flags, error: problemDocument(503) }),
    HttpApiEndpoint.patch("changeMove", "/v1/flags/move", {
      payload: MoveFlagChange,
      success: Flags,
      error: [problemDocument(409), problemDocument(413), problemDocument(415), problemDocument(503)],
    }),
    HttpApiEndpoint.patch("changeStage", "/v1/flags/stages/:stage", {
      params: { stage: MovedStage },
      payload: StageFlagChange,
      success: Flags,
      error: [problemDocument(409), problemDocument(413), problemDocument(415), problemDocument(503)],
    }),
    /** How many people are at which stage. */
    HttpApiEndpoint.get("countStages", "/v1/stages", {
      success: Schema.Struct({
        stages: Schema.Array(Schema.Struct({ stage: Stage, people: Schema.Int, failed: Schema.Int })),
        /** People whose accounts all began in an object: they have no step to take. */
        bornInObjects: Schema.Int,
      }),
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}

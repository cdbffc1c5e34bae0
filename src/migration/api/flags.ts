import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { movedStages, Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment } from "./schemas.ts"

const MovedStage = Schema.Literals(movedStages)

/** The longest list of people in a flag: one row of D1 holds it. */
const listedAtMost = 10_000

const Listed = Schema.Array(UserId).pipe(
  Schema.check(Schema.isMaxLength(listedAtMost, { message: `must have at most ${listedAtMost} entries` })),
)

/** The people who should be at a stage or beyond it. */
const StageFlag = Schema.Struct({
  stage: MovedStage,
  /** While false, percentage and list have no effect. */
  isEnabled: Schema.Boolean,
  /** 0 to 100, with at most two decimals. */
  percentage: Schema.Finite,
  allowList: Schema.Array(Schema.String),
  updatedAt: Moment,
})

export const Flags = Schema.Struct({
  /** The kill switch: while it is set, no step is taken, forward or back. */
  isHalted: Schema.Boolean,
  /** People who stay at `off`, or go back there. */
  denyList: Schema.Array(Schema.String),
  stages: Schema.Array(StageFlag),
})
export type Flags = typeof Flags.Type

/** Refuses a change that has none of its fields: it would be audited although nobody changed anything. */
const notEmpty = (names: ReadonlyArray<string>) =>
  Schema.makeFilter((change: object) =>
    Object.keys(change).length > 0 ? undefined : `must have at least one of ${names.join(", ")}`,
  )

/** A change of a list: `set` replaces it; then `add` and `remove` apply. */
export const ListChange = Schema.Struct({
  set: Schema.optionalKey(Listed),
  add: Schema.optionalKey(Listed),
  remove: Schema.optionalKey(Listed),
}).check(notEmpty(["set", "add", "remove"]))
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
}).check(notEmpty(["isEnabled", "percentage", "allowList"]))
export type StageFlagChange = typeof StageFlagChange.Type

export const MoveFlagChange = Schema.Struct({
  isHalted: Schema.optionalKey(Schema.Boolean),
  denyList: Schema.optionalKey(ListChange),
}).check(notEmpty(["isHalted", "denyList"]))
export type MoveFlagChange = typeof MoveFlagChange.Type

/** The flags: the stages at which people should be. A change is answered with all flags as they are after it. */
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
    /** Counts people by stage and by ceiling. */
    HttpApiEndpoint.get("countStages", "/v1/stages", {
      success: Schema.Struct({
        stages: Schema.Array(Schema.Struct({ stage: Stage, people: Schema.Int, failed: Schema.Int })),
        /** People whose accounts all started in an object: a move has no step for them. */
        bornInObjects: Schema.Int,
        /** People whom a rollback holds at a stage: no flag takes them beyond it until `clearCeilings`. Stages without any are left out. */
        ceilings: Schema.Array(Schema.Struct({ ceiling: Stage, people: Schema.Int })),
      }),
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}

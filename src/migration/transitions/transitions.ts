import { Effect, Result } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import type { Stage } from "../../domain/stage.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import type { PageSettings } from "../person/PageSettings.ts"
import type { Outcomes, PersonInMove, StepResult } from "../person/PersonInMove.ts"
import { complete } from "./complete.ts"
import { copy } from "./copy.ts"
import { discard } from "./discard.ts"
import { giveBack } from "./giveBack.ts"
import { mirrorAgain, stopMirror } from "./mirror.ts"
import { restore } from "./restore.ts"
import { takeOver } from "./takeOver.ts"

/**
 * What leads from one stage to the next, or back, for a page of people. Each may be killed at any await and run again, and copes with
 * whatever the one that leads the other way has left half-done. Its D1 statements do not grow with the people.
 */
type Transition = (
  people: ReadonlyArray<PersonInMove>,
) => Effect.Effect<Outcomes<StepResult>, DatabaseUnavailable, Core | Database | FeedSources | PageSettings>

/** Only the word changes: the object keeps its copy, and reads are not compared any more. */
const nothing: Transition = (people) =>
  Effect.succeed(new Map(people.map(({ userId }) => [userId, Result.succeed({ isVerified: false })])))

const transitions: Readonly<Record<string, Transition>> = {
  "off dual_write": copy(true),
  "dual_write off": discard,
  "dual_write shadow": copy(false),
  "shadow dual_write": nothing,
  "shadow live": takeOver,
  "live shadow": giveBack,
  "live rampdown": stopMirror,
  "rampdown live": mirrorAgain,
  "rampdown complete": complete,
  "complete rampdown": restore,
}

/** The edge between two stages that are next to each other. */
export const transitionOf = (from: Stage, to: Stage): Transition => transitions[`${from} ${to}`] ?? nothing

import { Effect } from "effect"
import type { MovedStage } from "../../domain/stage.ts"
import type { Flags, ListChange, MoveFlagChange, StageFlagChange } from "../../migration/api/flags.ts"
import { Misused } from "../exit.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { typed } from "../typed.ts"
import { concernedBy, renderEffect } from "./effect.ts"
import { renderChange } from "./render.ts"

/** One change: of a stage, or of what holds for all of them. */
export type Change =
  | { readonly stage: MovedStage; readonly change: StageFlagChange }
  | { readonly stage: null; readonly change: MoveFlagChange }

const applyList = (list: ReadonlyArray<string>, { set, add = [], remove = [] }: ListChange = {}): Array<string> => {
  const removed = new Set<string>(remove)
  return [...new Set([...(set ?? list), ...add])].filter((id) => !removed.has(id))
}

/** What the worker would answer to a change. */
const apply = (flags: Flags, { stage, change }: Change): Flags => {
  if (stage === null) {
    return {
      ...flags,
      isHalted: change.isHalted ?? flags.isHalted,
      denyList: applyList(flags.denyList, change.denyList),
    }
  }
  const stages = flags.stages.map((flag) =>
    flag.stage === stage
      ? {
          ...flag,
          isEnabled: change.isEnabled ?? flag.isEnabled,
          percentage: change.percentage ?? flag.percentage,
          allowList: applyList(flag.allowList, change.allowList),
        }
      : flag,
  )
  return { ...flags, stages }
}

/** Makes a change, or shows what it would be, with before, after, and how many people it concerns. */
export const changeFlags = Effect.fn("changeFlags")(function* (change: Change, isDry: boolean) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const [before, { stages, bornInObjects }] = yield* Effect.all([
    ask(({ flags }) => flags.getFlags({})),
    ask(({ flags }) => flags.countStages({})),
  ])
  if (Object.keys(change.change).length === 0) {
    return yield* new Misused({ message: "Say what to set: a percentage, --allow, --disallow, --enable or --disable." })
  }
  const after = isDry
    ? apply(before, change)
    : yield* ask(({ flags }) =>
        change.stage === null
          ? flags.changeMove({ payload: change.change })
          : flags.changeStage({ params: { stage: change.stage }, payload: change.change }),
      )
  const everybody = stages.reduce((sum, { people }) => sum + people, 0)
  const concerned = concernedBy(before, after, everybody)
  const words = [
    renderChange(before, after),
    "",
    renderEffect(concerned, everybody),
    ...(concerned.length === 0 ? [] : [nextStep(after, isDry)]),
  ]
  yield* outcome.tell({ isDry, before, after, everybody, bornInObjects, concerned }, words.join("\n"))
})

const nextStep = ({ isHalted }: Flags, isDry: boolean): string => {
  if (isDry) return "Nothing was written."
  return isHalted
    ? `Nobody goes anywhere while the move is halted; ${typed("flags halt off")} ends that.`
    : `${typed("migrate plan")} looks at each of them; ${typed("migrate start --watch")} takes them there.`
}

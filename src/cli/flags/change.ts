import { Effect } from "effect"
import { stages as everyStage, type MovedStage } from "../../domain/stage.ts"
import type { Flags, ListChange, MoveFlagChange, StageFlagChange } from "../../migration/api/flags.ts"
import { people } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { quoted } from "../typed.ts"
import { type Concerned, concernedBy, renderEffect } from "./effect.ts"
import { renderChange } from "./render.ts"

/** One change: of a stage, or of what holds for all of them. */
export type Change =
  | { readonly stage: MovedStage; readonly change: StageFlagChange }
  | { readonly stage: null; readonly change: MoveFlagChange }

const applyList = (list: ReadonlyArray<string>, { set, add = [], remove = [] }: ListChange = {}): Array<string> => {
  const removed = new Set<string>(remove)
  return [...new Set([...(set ?? list), ...add])].filter((id) => !removed.has(id))
}

/** The flags that the worker would answer with after a change. */
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

const renderHeldBack = (heldBack: number): ReadonlyArray<string> =>
  heldBack === 0
    ? []
    : [
        `The figures include ${people(heldBack)} held back by a rollback, whatever the flags say, until ${quoted("migrate clear-ceiling")}.`,
      ]

const isForward = ({ from, to }: Concerned): boolean => everyStage.indexOf(to) > everyStage.indexOf(from)

/** Makes a change, or shows what it would be: before, after, and how many people it concerns. */
export const changeFlags = Effect.fn("changeFlags")(function* (
  change: Change,
  { dryRun }: { readonly dryRun: boolean },
) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const [before, { stages, bornInObjects, ceilings }] = yield* Effect.all([
    ask(({ flags }) => flags.getFlags({})),
    ask(({ flags }) => flags.countStages({})),
  ])
  const after = dryRun
    ? apply(before, change)
    : yield* ask(({ flags }) =>
        change.stage === null
          ? flags.changeMove({ payload: change.change })
          : flags.changeStage({ params: { stage: change.stage }, payload: change.change }),
      )
  const everybody = stages.reduce((sum, { people: count }) => sum + count, 0)
  const concerned = concernedBy(before, after, everybody)
  const heldBack = concerned.some(isForward) ? ceilings.reduce((sum, { people: count }) => sum + count, 0) : 0
  const words = [
    renderChange(before, after),
    "",
    renderEffect(concerned, everybody),
    ...renderHeldBack(heldBack),
    ...(concerned.length === 0 ? [] : [nextStep(after, { dryRun })]),
  ]
  const result = { isDry: dryRun, before, after, everybody, bornInObjects, concerned, heldBack }
  yield* outcome.tell(result, words.join("\n"))
})

const nextStep = ({ isHalted }: Flags, { dryRun }: { readonly dryRun: boolean }): string => {
  if (dryRun) return "Nothing was written."
  return isHalted
    ? `The move is halted, so nobody moves; ${quoted("flags halt off")} ends that.`
    : `${quoted("migrate plan")} shows what a run would do; ${quoted("migrate start --watch")} starts one.`
}

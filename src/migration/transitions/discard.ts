import { Effect } from "effect"
import { Core } from "../Core.ts"
import { forEachPerson, latest, type Mover, succeeded, taking } from "../person/PersonInMove.ts"
import { toStepFailed } from "../person/reason.ts"
import { giveBack } from "./giveBack.ts"

/** `dual_write` to `off`: the object forgets its copies. What it holds itself, if anything, goes back first. */
export const discard = Effect.fn("discard")(function* (movers: ReadonlyArray<Mover>) {
  const core = yield* Core
  const holding = movers.filter(({ accounts }) => accounts.some(({ holder }) => holder === "object"))
  const given = holding.length === 0 ? new Map() : yield* giveBack(holding)
  const back = new Set(succeeded(holding, given))
  const toDiscard = movers.filter((mover) => !holding.includes(mover) || back.has(mover))
  const discarded = yield* forEachPerson(toDiscard, ({ userId }) =>
    Effect.mapError(core.discardCopies({ userId }), toStepFailed),
  )
  return taking(movers, latest<unknown>(given, discarded), () => ({ isVerified: false, durableObjectId: null }))
})

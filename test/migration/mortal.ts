import { bindingsThrough } from "./calls.ts"

/** What a killed worker gets of everything that it has yet to ask. */
class Killed extends Error {
  override readonly name = "Killed"
}

/**
 * Bindings of a worker that is killed at its `after`th call of D1 or of an object: before the call, or when it has taken effect and
 * its answer is on the way (`isAnswerLost`). Nothing that the worker asks from then on happens. `life`: whether it came to that.
 */
export const mortal = (after: number, isAnswerLost: boolean) => {
  const life = { calls: 0, isOver: false }
  const bindings = bindingsThrough(async (invoke) => {
    life.calls += 1
    life.isOver = life.calls >= after
    if (life.calls > after || (life.isOver && !isAnswerLost)) throw new Killed("killed")
    const answer = await invoke()
    if (life.calls >= after) throw new Killed("killed, with the answer on the way")
    return answer
  })
  return { life, bindings }
}

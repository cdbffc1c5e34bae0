import { bindingsThrough } from "./calls.ts"

/** What a killed worker gets of everything that it has yet to ask. */
class Killed extends Error {
  override readonly name = "Killed"
}

/**
 * Bindings of a worker that is killed at its `after`th call of D1 or of an object: before the call, or when it has taken effect and
 * its answer is on the way (`isAnswerLost`). Nothing that the worker asks from then on happens.
 */
export const mortal = (after: number, isAnswerLost: boolean) => {
  let calls = 0
  return bindingsThrough(async (invoke) => {
    calls += 1
    if (calls > after || (calls === after && !isAnswerLost)) throw new Killed("killed")
    const answer = await invoke()
    if (calls >= after) throw new Killed("killed, with the answer on the way")
    return answer
  })
}

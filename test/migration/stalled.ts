import { bindingsThrough } from "./calls.ts"

/**
 * Bindings of a worker that stands still at its `after`th call of D1 or of an object while something else happens, and goes on then: a
 * page that everybody takes for dead. `isAnswerLate`: the call has taken effect, and its answer comes afterwards.
 */
export const stalled = (after: number, isAnswerLate: boolean, happens: () => Promise<unknown>) => {
  let calls = 0
  return bindingsThrough(async (invoke) => {
    calls += 1
    if (calls !== after) return invoke()
    if (!isAnswerLate) {
      await happens()
      return invoke()
    }
    const answer = await invoke()
    await happens()
    return answer
  })
}

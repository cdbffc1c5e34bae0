import type { Figure } from "../figure.ts"
import { interleaved, median, rounded, spread } from "../spread.ts"

/** Short rounds: whatever else the machine does then hits both sides alike. */
const callsPerRound = 100

/**
 * The same echo twice, over the same service binding, through the same entrypoint class, at the same object: once as pollen's
 * methods are written (encode, check at the door, serve, decode), once as a native method without any of it.
 */
export const rpcTypedOverBare: Figure = {
  name: "rpc_typed_over_bare",
  says: "A typed call takes at most so many times the median time of a bare native method of the same object.",
  unit: "times",
  limit: 1.25,
  bound: "atMost",
  measure: async ({ ask }, { isQuick, tell }) => {
    const userId = "somebody-who-echoes"
    const text = "what one might send to a method: a sentence or two of about two hundred characters, ".repeat(2)
    const echo = (how: "typed" | "bare") => async () => {
      const startedAt = performance.now()
      await ask("echo", { how, userId, text, calls: callsPerRound })
      return (performance.now() - startedAt) / callsPerRound
    }
    for (let warmUp = 0; warmUp < 10; warmUp += 1) {
      await echo("typed")()
      await echo("bare")()
    }
    const count = isQuick ? 60 : 150
    const rounds = await interleaved(count, (index) => {
      tell(`round ${index + 1} of ${count}`)
      return { a: echo("typed"), b: echo("bare") }
    })
    const typed = rounds.map(({ a }) => a)
    const bare = rounds.map(({ b }) => b)
    const ratios = rounds.map(({ a, b }) => a / b)
    const how = `latency of a call in rounds of ${callsPerRound} calls one after the other inside a worker, timed from outside, ${count} rounds by turns after warm-up; typed: ${spread(typed)} ms; bare: ${spread(bare)} ms; typed over bare of each round: ${spread(ratios)}`
    return {
      value: rounded(median(typed) / median(bare)),
      how,
      samples: { typedMs: typed.map(rounded), bareMs: bare.map(rounded) },
    }
  },
}

import { afterEach, it } from "vitest"
import { clock } from "../worker.ts"
import { chaos } from "./chaos.ts"
import { simulator } from "./person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

it.each([1, 2, 3])("nothing is lost and nothing doubled, whatever happens (seed %i)", (seed) =>
  chaos(seed, { alongside: async () => {}, alsoFaulty: () => [] }),
)

import { runDurableObjectAlarm } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, beforeEach, it } from "vitest"
import { chaos } from "../object/chaos.ts"
import { simulator } from "../object/person.ts"
import { clock } from "../worker.ts"
import { withHubs } from "./following.ts"

const hubs = 2

beforeEach(() => withHubs(hubs))
afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

/** Every hub wakes, if it has anything to do; a wake that the hub dies in is repeated by the platform. */
const wakeAll = () =>
  Promise.allSettled(
    Array.from({ length: hubs }, async (_, index) => {
      const { HUBS } = env
      if (HUBS === undefined) throw new Error("No hubs are bound")
      return runDurableObjectAlarm(HUBS.get(HUBS.idFromName(`youtube:${index}`)))
    }),
  )

/** Feeds and listings of channels, which hubs ask for. */
const ofChannels = (sources: ReadonlyArray<string>) =>
  sources.filter((id) => id.startsWith("UC")).map((id) => ({ path: id.slice(2) }))

const seeds = Array.from({ length: Number(env.CHAOS_SEEDS) }, (_, index) => index + 1)

it.each(seeds)("with hubs too, nothing is lost and nothing doubled, whatever happens (seed %i)", (seed) =>
  chaos(seed, { alongside: wakeAll, alsoFaulty: ofChannels }),
)

import type { Figure } from "../figure.ts"
import type { Stage } from "../stage.ts"
import type { Provider } from "../workers/operations.ts"

const callers = { polls: 50, refreshes: 50 }

/** Resolves once so many calls have reached the object, or fails. */
const arrived = async ({ ask }: Stage, userId: string, wanted: number): Promise<void> => {
  const deadline = Date.now() + 8000
  while ((await ask("counts", { userId })).arrivals < wanted) {
    if (Date.now() > deadline) throw new Error("not all callers reached the object")
  }
}

/** The refresh is held at the provider until all callers wait for it: nobody comes late and finds a fresh token. */
const refreshRequests = async (stage: Stage, provider: Provider): Promise<number> => {
  const userId = `besieged-${crypto.randomUUID()}`
  const source = await stage.simulator.createSource({ provider, items: 3 })
  await stage.simulator.createPeople([{ id: userId, sources: [source] }])
  const gate = await stage.simulator.hold({ person: userId, kind: "token" })
  await stage.connect("pollen", [userId], [provider], -60)
  const storm = stage.ask("storm", { userId, ...callers })
  await arrived(stage, userId, callers.polls + callers.refreshes)
  await stage.simulator.release(gate)
  const outcomes = await storm
  const answered = (outcomes["pollNow polled"] ?? 0) + (outcomes["refreshTokens refreshed"] ?? 0)
  if (answered !== callers.polls + callers.refreshes) {
    throw new Error(`not every caller got what they asked for: ${JSON.stringify(outcomes)}`)
  }
  return (await stage.simulator.counts({ person: userId, kind: "token" })).total
}

export const refreshesFor100Callers: Figure = {
  name: "refreshes_for_100_callers",
  says: "However many callers find an expired token, the provider is asked for one refresh.",
  unit: "requests",
  limit: 1,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const rounds = isQuick ? 5 : 15
    const samples: Record<Provider, Array<number>> = { spotify: [], youtube: [] }
    for (let round = 1; round <= rounds; round += 1) {
      tell(`round ${round} of ${rounds}`)
      for (const provider of ["spotify", "youtube"] as const) {
        samples[provider].push(await refreshRequests(stage, provider))
      }
    }
    const counts = Object.values(samples).flat()
    if (Math.min(...counts) < 1) throw new Error("a token that had expired was not refreshed")
    const how = `token requests in the simulator's ledger for 50 pollNow and 50 refreshTokens at once with an expired token, beside the object's own alarm; the refresh is held until all have arrived; the most of ${rounds} rounds for each provider`
    return { value: Math.max(...counts), how, samples }
  },
}

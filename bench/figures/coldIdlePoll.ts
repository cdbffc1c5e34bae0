import type { Figure } from "../figure.ts"
import { runtimeCpuMs } from "../runtimeCpu.ts"
import { interleaved, median, rounded, spread } from "../spread.ts"
import type { Stage } from "../stage.ts"
import type { Side } from "../workers/operations.ts"

const people = 30
const sourcesEach = 10
const warmUps = 3

/** People on both sides, who have everything that their sources have published. */
const settled = async ({ simulator, connect, ask }: Stage) => {
  const ids = Array.from({ length: people }, () => `cold-${crypto.randomUUID()}`)
  await simulator.seed({ people: ids, showsEach: sourcesEach, channelsEach: sourcesEach, itemsEach: 3 })
  for (const side of ["pollen", "handwritten"] as const) {
    await connect(side, ids)
    for (const _ of ["first", "second"]) await ask("poll", { side, userIds: ids, atOnce: 6 })
  }
  return ids
}

/** Polls people whose objects have left memory, and finds nothing: milliseconds of the processor for each poll, or of the clock. */
const pollCold = async ({ ask }: Stage, side: Side, userIds: ReadonlyArray<string>) => {
  await ask("evict", { side, userIds })
  const [cpu, clock] = [await runtimeCpuMs(), performance.now()]
  const { delivered, failures } = await ask("poll", { side, userIds, atOnce: 6 })
  if (delivered > 0 || failures.length > 0) throw new Error(`an idle poll was none: ${failures.join("; ")}`)
  const cpuAfter = await runtimeCpuMs()
  const spent = cpu === null || cpuAfter === null ? performance.now() - clock : cpuAfter - cpu
  return spent / userIds.length
}

export const coldIdlePoll: Figure = {
  name: "cold_idle_poll_over_handwritten",
  says: "An idle poll of an object that has left memory, as nearly every poll is, costs at most so many times as much as the hand-written object's.",
  unit: "times",
  limit: 1.5,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const ids = await settled(stage)
    const count = isQuick ? 7 : 21
    const all = await interleaved(warmUps + count, (index) => {
      tell(index < warmUps ? "warm-up" : `round ${index - warmUps + 1} of ${count}`)
      return { a: () => pollCold(stage, "pollen", ids), b: () => pollCold(stage, "handwritten", ids) }
    })
    const rounds = all.slice(warmUps)
    const [pollen, handwritten] = [rounds.map(({ a }) => a), rounds.map(({ b }) => b)]
    const how = `processor time of the runtime while ${people} people with ${sourcesEach} shows and ${sourcesEach} channels are polled whose objects start for it and find nothing; ${count} rounds by turns after warm-up; pollen: ${spread(pollen)} ms a poll; by hand: ${spread(handwritten)} ms`
    return {
      value: rounded(median(pollen) / median(handwritten)),
      how,
      samples: { pollenMs: pollen.map(rounded), handwrittenMs: handwritten.map(rounded) },
    }
  },
}

/** Milliseconds from a call of somebody's object, which starts for it, to its first request. */
const toFirstRequest = async ({ simulator, ask }: Stage, side: Side, userId: string) => {
  await ask("evict", { side, userIds: [userId] })
  await simulator.clearLedger()
  const calledAt = Date.now()
  await ask("poll", { side, userIds: [userId], atOnce: 1 })
  const [first] = await simulator.ledger({ person: userId })
  if (first === undefined) throw new Error("nothing was asked")
  return first.at - calledAt
}

export const objectWakeToFirstRequest: Figure = {
  name: "object_wake_to_first_request",
  says: "An object that starts makes its first request after at most so many times as long as the hand-written one.",
  unit: "times",
  limit: 1.5,
  bound: "atMost",
  measure: async (stage, { isQuick, tell }) => {
    const ids = await settled(stage)
    const count = isQuick ? 30 : 100
    const all = await interleaved(warmUps + count, (index) => {
      tell(`${index} of ${warmUps + count}`)
      const userId = ids[index % ids.length] ?? ""
      return { a: () => toFirstRequest(stage, "pollen", userId), b: () => toFirstRequest(stage, "handwritten", userId) }
    })
    const rounds = all.slice(warmUps)
    const [pollen, handwritten] = [rounds.map(({ a }) => a), rounds.map(({ b }) => b)]
    const mean = (of: ReadonlyArray<number>) => of.reduce((sum, one) => sum + one, 0) / of.length
    const how = `from the call of an object that has left memory to the arrival of its first request at the simulator; ${count} rounds by turns; means, since the simulator's clock has milliseconds; pollen: ${spread(pollen)} ms; by hand: ${spread(handwritten)} ms`
    return {
      value: rounded(mean(pollen) / mean(handwritten)),
      how,
      samples: { pollenMs: pollen, handwrittenMs: handwritten },
    }
  },
}

import { createHash } from "node:crypto"
import type { Figure } from "../figure.ts"
import { interleaved, median, rounded, spread } from "../spread.ts"
import type { Stage } from "../stage.ts"
import type { Side } from "../workers/operations.ts"

const people = 30
const showsEach = 10
const channelsEach = 10
/** Of each person's shows and of their channels, and the items that each of these publishes in a round. */
const changedEach = 3
const itemsEach = 2
const atOnce = 6

/** Polls everybody once: polls a second, and what the providers were asked. */
const pollEverybody = async ({ simulator, ask }: Stage, side: Side, userIds: ReadonlyArray<string>) => {
  await simulator.clearLedger()
  const startedAt = performance.now()
  const { delivered, undelivered, failures } = await ask("poll", { side, userIds, atOnce })
  const seconds = (performance.now() - startedAt) / 1000
  if (undelivered > 0 || failures.length > 0) throw new Error(`${side} polled badly: ${failures.join("; ")}`)
  const { total, byKind } = await simulator.counts()
  return { pollsPerSecond: userIds.length / seconds, delivered, requests: total, byKind: JSON.stringify(byKind) }
}

const fingerprint = async ({ ask }: Stage, side: Side, userIds: ReadonlyArray<string>) => {
  const rows = await ask("rows", { side, userIds })
  const tables = Object.entries(rows).map(([table, content]) => ({
    table,
    count: content.length,
    hash: createHash("sha256").update(JSON.stringify(content)).digest("hex"),
  }))
  return { tables, total: tables.reduce((sum, { count }) => sum + count, 0) }
}

/**
 * The same people with the same sources on both sides, each side with a D1 of its own: after every round both must have asked the
 * providers for the same and delivered the same, and in the end both databases must hold the same rows.
 */
export const pollThroughput: Figure = {
  name: "poll_throughput_over_handwritten",
  says: "pollen polls at least so many times as fast as the shortest honest object that makes the same requests and inserts.",
  unit: "times",
  limit: 0.8,
  bound: "atLeast",
  measure: async (stage, { isQuick, tell }) => {
    const { simulator, connect } = stage
    const ids = Array.from({ length: people }, () => `polled-${crypto.randomUUID()}`)
    const seeded = await simulator.seed({ people: ids, showsEach, channelsEach, itemsEach: 30 })
    tell("first polls")
    for (const side of ["pollen", "handwritten"] as const) {
      await connect(side, ids)
      await pollEverybody(stage, side, ids)
    }
    const publish = (round: number) =>
      simulator.publishMany(
        seeded.flatMap(({ shows, channels }) =>
          [shows, channels].flatMap((sources) =>
            Array.from({ length: changedEach }, (_, index) => ({
              source: sources[(round * changedEach + index) % sources.length] ?? "",
              count: itemsEach,
            })),
          ),
        ),
      )
    const warmUps = 3
    const count = isQuick ? 11 : 31
    const all = await interleaved(warmUps + count, (index) => {
      tell(index < warmUps ? "warm-up" : `round ${index - warmUps + 1} of ${count}`)
      const published = publish(index)
      const poll = (side: Side) => async () => {
        await published
        return pollEverybody(stage, side, ids)
      }
      return { a: poll("pollen"), b: poll("handwritten") }
    })
    for (const { a, b } of all) {
      if (a.byKind !== b.byKind) throw new Error(`the requests differ: ${a.byKind} by pollen, ${b.byKind} by hand`)
      if (a.delivered !== b.delivered) throw new Error(`${a.delivered} items by pollen, ${b.delivered} by hand`)
    }
    const [ours, theirs] = [await fingerprint(stage, "pollen", ids), await fingerprint(stage, "handwritten", ids)]
    for (const [index, { table, count: rows, hash }] of ours.tables.entries()) {
      const other = theirs.tables[index]
      if (other?.hash !== hash) throw new Error(`${table} differs: ${rows} rows by pollen, ${other?.count} by hand`)
    }
    const rounds = all.slice(warmUps)
    const pollen = rounds.map(({ a }) => a.pollsPerSecond)
    const handwritten = rounds.map(({ b }) => b.pollsPerSecond)
    const ratios = rounds.map(({ a, b }) => a.pollsPerSecond / b.pollsPerSecond)
    const last = rounds.at(-1)?.a
    const how = `${people} people with ${showsEach} shows and ${channelsEach} channels, ${atOnce} polled at once; in each of ${count} rounds, by turns after warm-up, ${changedEach} shows and ${changedEach} channels of each published ${itemsEach} items; each side made ${last?.requests} requests and delivered ${last?.delivered} items a round, and their databases held the same ${ours.total} rows in the end; pollen: ${spread(pollen)} polls/s; by hand: ${spread(handwritten)} polls/s; pollen over by hand of each round: ${spread(ratios)}`
    return {
      value: rounded(median(pollen) / median(handwritten)),
      how,
      samples: { pollenPollsPerSecond: pollen.map(rounded), handwrittenPollsPerSecond: handwritten.map(rounded) },
    }
  },
}

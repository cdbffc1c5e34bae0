import { startSimulator } from "../../local/simulator/server/start.ts"
import { openWorkers } from "../day/simulate.ts"
import type { Figure } from "../figure.ts"

const hour = 3_600_000
const sourcesEach = 20
/** Items of a year of one source: one a day and some. In so many readings. */
const itemsAYear = 400
const readings = 20

/** Somebody with 20 shows and 20 channels, without a key: the object keeps what it knows of all 40 by itself. */
const withPerson = async <A>(
  archive: number,
  work: (
    workers: Awaited<ReturnType<typeof openWorkers>>,
    simulator: Awaited<ReturnType<typeof startSimulator>>["client"],
    sources: ReadonlyArray<string>,
  ) => Promise<A>,
): Promise<A> => {
  const { client: simulator, close } = await startSimulator({ seed: 6, refreshTokenRotation: { spotify: "none" } })
  const workers = await openWorkers(simulator.url, { YOUTUBE_API_KEY: "" })
  try {
    const make = (provider: "spotify" | "youtube") =>
      simulator.createSources(Array.from({ length: sourcesEach }, () => ({ provider, items: archive })))
    const sources = [...(await make("spotify")), ...(await make("youtube"))]
    await simulator.createPeople([{ id: "ada", sources }])
    for (const provider of ["spotify", "youtube"] as const) {
      const grant = await simulator.grant("ada", provider, { expiresInSeconds: 300 * 24 * 3600 })
      await workers.ask("connect", { userId: "ada", provider, tokens: grant })
    }
    await workers.ask("poll", { userId: "ada" })
    return await work(workers, simulator, sources)
  } finally {
    await workers.close()
    await close()
  }
}

export const objectStorageBytesPerSource: Figure = {
  name: "object_storage_bytes_per_source",
  says: "After a year, an object stores at most so many bytes for each source, and no more after another: it remembers 200 items of each.",
  unit: "bytes",
  limit: 40_000,
  bound: "atMost",
  measure: (_stage, { tell }) =>
    withPerson(50, async (workers, simulator, sources) => {
      const year = async () => {
        for (let reading = 1; reading <= readings; reading += 1) {
          tell(`reading ${reading} of ${readings}`)
          await simulator.publishMany(sources.map((source) => ({ source, count: itemsAYear / readings })))
          await workers.ask("poll", { userId: "ada" })
        }
        return (await workers.ask("bytes", { userId: "ada" })).bytes / sources.length
      }
      const first = await year()
      const second = await year()
      const how = `the size of the object's database by SQLite, of a person with ${sources.length} sources, after ${itemsAYear} new items of each; after ${itemsAYear} more: ${Math.round(second)}`
      return { value: Math.round(Math.max(first, second)), how, samples: { afterAYear: [first], afterTwo: [second] } }
    }),
}

export const objectRowsWrittenPerIdlePoll: Figure = {
  name: "object_rows_written_per_idle_poll",
  says: "A wake that finds nothing writes at most 3 rows: one for each account, and its next alarm.",
  unit: "rows",
  limit: 3,
  bound: "atMost",
  measure: (_stage, { tell }) =>
    withPerson(3, async (workers, simulator, sources) => {
      const ada = { users: ["ada"], hubs: [] }
      const from = Date.now()
      // Everything that the first days bring by themselves is over: rechecks of what was found first.
      await workers.ask("runUntil", { ...ada, until: from + 96 * hour })
      const samples: Array<number> = []
      let before = await workers.ask("counts", ada)
      for (let at = 97; at <= 97 + 48; at += 1) {
        tell(`hour ${at - 96} of 49`)
        await simulator.clearLedger()
        await workers.ask("runUntil", { ...ada, until: from + at * hour })
        const asked = await simulator.ledger({ person: "ada" })
        const isIdle = asked.length > 0 && asked.every(({ kind }) => kind === "library")
        const after = await workers.ask("counts", ada)
        if (isIdle) samples.push((after.rowsWritten - before.rowsWritten) / (after.wakes - before.wakes))
        before = after
      }
      if (samples.length === 0) throw new Error("the object never woke for nothing")
      const how = `rows of the object's SQLite as the platform counts them, and the alarm, of each of the ${samples.length} wakes in two days that asked for the library alone; none of ${sources.length} sources publishes. Wakes that recheck sources, refresh a grant or send a heartbeat write more`
      return { value: Math.max(...samples), how, samples: { rows: samples } }
    }),
}

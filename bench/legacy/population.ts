import { legacyRows } from "../../local/stack/legacyRows.ts"
import type { Production } from "./production.ts"

/** People whom one request makes. */
const atOnce = 500

/** What each follows, of each provider; most of it others follow too. */
const followed = { showsEach: 2, channelsEach: 2, itemsEach: 3, sharedFraction: 0.9 }

export const idsOf = (people: number): ReadonlyArray<string> =>
  Array.from({ length: people }, (_, index) => `person-${String(index).padStart(6, "0")}`)

/** Makes people in the simulator who follow two shows and two channels each. */
export const makePeople = async ({ simulator }: Pick<Production, "simulator">, ids: ReadonlyArray<string>) => {
  for (let from = 0; from < ids.length; from += atOnce) {
    await simulator.seed({ ...followed, people: ids.slice(from, from + atOnce) })
  }
}

/** Puts the accounts of people into D1, which holds them, as a system has them before the move. */
export const insertPeople = async (
  { simulator, database }: Pick<Production, "simulator" | "database">,
  ids: ReadonlyArray<string>,
): Promise<void> => {
  for (let from = 0; from < ids.length; from += atOnce) {
    const consents = ids
      .slice(from, from + atOnce)
      .flatMap((person) => (["spotify", "youtube"] as const).map((provider) => ({ person, provider })))
    const rows = legacyRows(consents, await simulator.grants(consents), Date.now())
    await database.batch(rows.map(({ sql, values }) => database.prepare(sql).bind(...values)))
  }
}

/** Does something for each, so many at once. */
export const forEach = async <A>(all: ReadonlyArray<A>, lanes: number, act: (one: A) => Promise<unknown>) => {
  const queue = all.values()
  const lane = async () => {
    for (const one of queue) await act(one)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

import type { Provider } from "../../src/domain/provider.ts"
import { Person, simulator } from "./person.ts"

export const minute = 60_000
export const hour = 60 * minute

export const makeSources = (provider: Provider, count: number, items = 1) =>
  simulator.createSources(Array.from({ length: count }, () => ({ provider, items })))

/** Somebody who follows these, whose first poll is over, and of whom the ledger knows nothing yet. */
export const settled = async (sources: ReadonlyArray<string>, ...providers: ReadonlyArray<Provider>) => {
  const person = await new Person().follows(...sources)
  for (const provider of providers) await person.connects(provider)
  await person.pollNow()
  await simulator.clearLedger(person.id)
  return person
}

/** One new item in each. Returns their ids. */
export const publishInEach = async (sources: ReadonlyArray<string>) =>
  (await simulator.publishMany(sources.map((source) => ({ source, count: 1 })))).flat().map(({ id }) => id)

/** What was asked of each source's items, by path. */
export const timesAsked = async (person: Person) => {
  const times = new Map<string, number>()
  for (const { path, query } of await simulator.ledger({ person: person.id, kind: "items" })) {
    const source = query["playlistId"]?.replace(/^UU/, "UC") ?? path.split("/").at(-2) ?? ""
    times.set(source, (times.get(source) ?? 0) + 1)
  }
  return times
}

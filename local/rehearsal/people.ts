import { Effect, Random } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { UserId } from "../../src/domain/user.ts"
import type { Provider, SeededPerson } from "../simulator/model.ts"
import { legacyRows } from "../stack/legacyRows.ts"
import { Simulator } from "../stack/Simulator.ts"
import { accessTokenSeconds } from "./settings.ts"
import { Workers } from "./Workers.ts"

/** Somebody who moves, and what they follow. */
export interface Person extends SeededPerson {
  readonly id: UserId
}

export const providers = ["spotify", "youtube"] as const satisfies ReadonlyArray<Provider>

/** People for each show and each channel: most of what somebody follows, others follow too. */
const followersEach = 10
/** Shows, and channels, that each person follows. */
const followedEach = 2
/** Episodes and videos that a source has before the run begins. */
const archiveItems = 5
/** Rows of one statement: far from D1's limit on the size of a parameter. */
const rowsAtOnce = 500

/** Two of a circle of sources: neighbours share one or none, and every source has its followers. */
const chosenBy = (index: number, sources: ReadonlyArray<string>): ReadonlyArray<string> => {
  const first = index % sources.length
  const step = 1 + (Math.floor(index / sources.length) % (sources.length - 1))
  return [first, (first + step) % sources.length].flatMap((place) => sources[place] ?? [])
}

/** Creates people in the simulator who follow things at both providers. */
export const makePeople = Effect.fn("makePeople")(function* (users: number) {
  const { ask } = yield* Simulator
  const count = Math.max(followedEach, Math.ceil((users * followedEach) / followersEach))
  const create = (provider: Provider) =>
    ask((client) => client.createSources(Array.from({ length: count }, () => ({ provider, items: archiveItems }))))
  const shows = yield* create("spotify")
  const channels = yield* create("youtube")
  const people = Array.from(
    { length: users },
    (_, index): Person => ({
      id: UserId.make(`person-${String(index + 1).padStart(5, "0")}`),
      shows: chosenBy(index, shows),
      channels: chosenBy(index, channels),
    }),
  )
  yield* ask((client) =>
    client.createPeople(people.map(({ id, shows, channels }) => ({ id, sources: [...shows, ...channels] }))),
  )
  return people
})

/**
 * Creates everybody's consent, and the rows of it that a system has before the move: tokens as they are, held by D1. The first access
 * tokens are of any age, so that the refreshes of a hundred people do not come at once.
 */
export const insertPeople = Effect.fn("insertPeople")(function* (people: ReadonlyArray<Person>) {
  const display = yield* Display
  const { ask } = yield* Simulator
  const { observe } = yield* Workers
  const now = Date.now()
  for (let start = 0; start < people.length; start += rowsAtOnce) {
    const some = people.slice(start, start + rowsAtOnce)
    const consents = yield* Effect.forEach(
      some.flatMap(({ id }) => providers.map((provider) => ({ person: id, provider }))),
      (consent) =>
        Effect.map(Random.nextBetween(accessTokenSeconds - 120, accessTokenSeconds), (expiresInSeconds) => ({
          ...consent,
          expiresInSeconds: Math.round(expiresInSeconds),
        })),
    )
    const grants = yield* ask((client) => client.grants(consents))
    yield* observe("query", legacyRows(consents, grants, now))
    yield* display.progress({
      name: "people in D1, before the move",
      done: Math.min(start + rowsAtOnce, people.length),
      total: people.length,
    })
  }
})

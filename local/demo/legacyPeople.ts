import { Clock, Effect } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { LocalStack } from "../stack/LocalStack.ts"
import { type LegacyConsent, legacyRows } from "../stack/legacyRows.ts"
import { Simulator } from "../stack/Simulator.ts"

/** Shows, and channels, that there are for them: each follows two of both. */
const sourcesEach = 10
const archiveItems = 5

const createSources = Effect.gen(function* () {
  const { ask } = yield* Simulator
  const create = (provider: "spotify" | "youtube") =>
    ask((client) =>
      client.createSources(Array.from({ length: sourcesEach }, () => ({ provider, items: archiveItems }))),
    )
  return { shows: yield* create("spotify"), channels: yield* create("youtube") }
})

const twoOf = (sources: ReadonlyArray<string>, index: number): ReadonlyArray<string> =>
  [index, index + 1].flatMap((place) => sources[place % sources.length] ?? [])

/** Adds people as a system has them before the move: D1 holds their tokens, and the legacy poller fills their feeds. */
export const addLegacyPeople = Effect.fn("addLegacyPeople")(function* (count: number) {
  if (count === 0) return
  const display = yield* Display
  const { ask } = yield* Simulator
  const { query, runCron } = yield* LocalStack
  const { shows, channels } = yield* createSources
  const people = Array.from({ length: count }, (_, index) => ({
    id: `legacy-${index + 1}`,
    sources: [...twoOf(shows, index), ...twoOf(channels, index)],
  }))
  yield* ask((client) => client.createPeople(people))
  const consents = people.flatMap(({ id }) =>
    (["spotify", "youtube"] as const).map((provider): LegacyConsent => ({ person: id, provider })),
  )
  const grants = yield* ask((client) => client.grants(consents))
  const rows = legacyRows(consents, grants, yield* Clock.currentTimeMillis)
  yield* Effect.forEach(rows, ({ sql, values }) => query(sql, values), { discard: true })
  yield* runCron
  const who = count === 1 ? "legacy-1 is" : `legacy-1 to legacy-${count} are`
  yield* display.line(`${who} in D1 with their tokens, and polled by the legacy poller.\n`)
})

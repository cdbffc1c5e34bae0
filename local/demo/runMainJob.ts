import { Clock, Effect } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { PromiseBroken } from "../error.ts"
import { LocalStack } from "../stack/LocalStack.ts"
import { Simulator } from "../stack/Simulator.ts"
import { backfillItems } from "../stack/settings.ts"
import { countRows, readFeeds } from "./feed.ts"
import { measureIdlePoll } from "./idle.ts"
import type { StartOptions } from "./options.ts"
import { connectPeople, seedPeople } from "./population.ts"
import { publish } from "./publication.ts"
import type { Result } from "./result.ts"
import { expectedRows, judge } from "./verdict.ts"

/** Milliseconds without a new row after which a phase ends, and the table shows what is missing. */
const stalledAfterMs = 30_000
const lookEvery = "200 millis"

/** Shows how the feeds fill, until they have the rows that they should have. */
const waitForRows = Effect.fnUntraced(function* (name: string, before: number, expected: number, note = "") {
  const display = yield* Display
  const { query } = yield* LocalStack
  const last = { rows: -1, at: 0 }
  const look = Effect.gen(function* () {
    const rows = yield* countRows(query)
    const at = yield* Clock.currentTimeMillis
    yield* display.progress({ name, done: Math.min(rows, expected) - before, total: expected - before, note })
    if (rows !== last.rows) Object.assign(last, { rows, at })
    return rows >= expected || at - last.at > stalledAfterMs
  })
  yield* look.pipe(Effect.delay(lookEvery), Effect.repeat({ until: (isOver) => isOver }))
})

const providerRequests = Effect.gen(function* () {
  const { ask } = yield* Simulator
  const { byProvider } = yield* ask((client) => client.counts())
  return { spotify: byProvider.spotify ?? 0, youtube: byProvider.youtube ?? 0 }
})

const countRefreshes = Effect.gen(function* () {
  const { ask } = yield* Simulator
  const requests = yield* ask((client) => client.ledger({ kind: "token" }))
  return requests.filter(({ grantType, status }) => grantType === "refresh_token" && status === 200).length
})

/** Runs the main job, from the first token to the last item. `startedAt`: epoch milliseconds of the command's start. */
export const runMainJob = Effect.fn("runMainJob")(function* (options: StartOptions, startedAt: number) {
  const display = yield* Display
  const simulator = yield* Simulator
  const { query } = yield* LocalStack

  const people = yield* seedPeople(options)
  yield* connectPeople(people)
  const backfill = expectedRows(people, [], backfillItems)
  yield* waitForRows("first polls, by alarm", 0, backfill)

  if (options.faults > 0) yield* simulator.ask((client) => client.randomFaults({ rate: options.faults / 100 }))
  const published = yield* publish(people, options.publish)
  const note = options.faults > 0 ? `while ${options.faults} % of the providers' answers fail` : ""
  yield* waitForRows("new items, by alarm", backfill, expectedRows(people, published, backfillItems), note)
  const requests = yield* providerRequests
  yield* simulator.ask((client) => client.clearFaults())

  yield* display.line("measuring an idle poll")
  const idle = yield* measureIdlePoll(people.at(-1)?.id ?? "")
  if (idle === null) {
    return yield* new PromiseBroken({
      message: "The idle poll could not be measured: the object did not poll by itself.",
    })
  }
  // Judged last: items that are delivered late or twice are there by now.
  const verdict = judge(people, published, backfillItems, yield* readFeeds(query))
  const result: Result = {
    users: people.length,
    sources: new Set(people.flatMap(({ shows, channels }) => [...shows, ...channels])).size,
    published: published.length,
    ...verdict,
    refreshes: yield* countRefreshes,
    providerRequests: requests,
    idle,
    seconds: ((yield* Clock.currentTimeMillis) - startedAt) / 1000,
  }
  return { people, result }
})

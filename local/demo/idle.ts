import { Effect } from "effect"
import type { LedgerEntry, Provider } from "../simulator/model.ts"
import { LocalStack } from "../stack/LocalStack.ts"
import { Simulator } from "../stack/Simulator.ts"

/** The cost of one poll that finds nothing new, both providers together. */
export interface IdlePoll {
  readonly d1Queries: number
  readonly providerRequests: number
}

const longest = "20 seconds"
const every = "100 millis"

/** A pass begins by reading the first page of the library. */
const isFirstPage = ({ kind, query }: LedgerEntry): boolean =>
  kind === "library" && !("pageToken" in query) && Number(query["offset"] ?? 0) === 0

/** Requests from the beginning of one pass to the beginning of the next; `null` until both have begun. */
const requestsOfOnePass = (ledger: ReadonlyArray<LedgerEntry>, provider: Provider): number | null => {
  const own = ledger.filter((entry) => entry.provider === provider)
  const starts = own.flatMap((entry, index) => (isFirstPage(entry) ? [index] : []))
  const [first, second] = starts
  return first === undefined || second === undefined ? null : second - first
}

/**
 * Watches a person whose sources publish nothing, until their object has been through a pass of each provider by its own alarm.
 * Requests are counted by the simulator's ledger, D1 statements at the object's binding: neither by pollen itself.
 */
export const measureIdlePoll = Effect.fn("measureIdlePoll")(function* (person: string) {
  const simulator = yield* Simulator
  const stack = yield* LocalStack
  const statements = Effect.map(stack.statementCounts, (counts) => counts[person] ?? 0)
  const [last] = (yield* simulator.ask((client) => client.ledger({ person }))).slice(-1)
  const before = yield* statements
  const look = Effect.gen(function* () {
    const ledger = yield* simulator.ask((client) => client.ledger({ person, since: last?.seq ?? 0 }))
    const spotify = requestsOfOnePass(ledger, "spotify")
    const youtube = requestsOfOnePass(ledger, "youtube")
    return spotify === null || youtube === null ? null : spotify + youtube
  })
  const providerRequests = yield* look.pipe(
    Effect.delay(every),
    Effect.repeat({ until: (requests) => requests !== null }),
    Effect.timeoutOption(longest),
  )
  const d1Queries = (yield* statements) - before
  return providerRequests._tag === "Some" && providerRequests.value !== null && before > 0
    ? ({ d1Queries, providerRequests: providerRequests.value } satisfies IdlePoll)
    : null
})

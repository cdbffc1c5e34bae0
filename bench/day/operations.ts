import type { FeedQuery } from "../../src/gateway/FeedQuery.ts"
import type { PlainGrant } from "../workers/operations.ts"

// What a simulated day asks of the worker: `POST /<operation>` with JSON in and JSON out.

interface Operation<Input, Output> {
  readonly input: Input
  readonly output: Output
}

/** Objects by name. */
export interface Named {
  readonly users: ReadonlyArray<string>
  readonly hubs: ReadonlyArray<string>
}

export interface SimulatedOperations {
  readonly connect: Operation<PlainGrant, null>
  readonly poll: Operation<{ readonly userId: string }, null>
  /** Lets time pass for these, in the order of their alarms. `until`: epoch milliseconds. */
  readonly runUntil: Operation<Named & { readonly until: number }, null>
  /** What these have cost since they were made. */
  readonly counts: Operation<Named, { readonly wakes: number; readonly rowsWritten: number; readonly rowsRead: number }>
  /** The size of a person's object. */
  readonly bytes: Operation<{ readonly userId: string }, { readonly bytes: number }>
  /** How many rows D1 reads for a page of somebody's feed, and how many there are on it. */
  readonly feedPage: Operation<
    { readonly userId: string; readonly query: Omit<FeedQuery, "limit">; readonly rows: number },
    { readonly rowsRead: number; readonly rows: number }
  >
}

// What the benchmark under Node asks of the caller worker: `POST /<operation>` with JSON in and JSON out.

/** Whose objects: pollen's, or those written by hand to compare with. */
export type Side = "pollen" | "handwritten"

export type Provider = "spotify" | "youtube"

export interface PlainGrant {
  readonly userId: string
  readonly provider: Provider
  readonly tokens: {
    readonly accessToken: string
    readonly refreshToken: string
    readonly expiresAt: number
    readonly scope: ReadonlyArray<string>
  }
}

/** What one person's object has asked of D1, as seen at its binding; an eviction in between loses no count. */
export interface D1Counts {
  /** Statements, each one of a batch included. */
  readonly queries: number
  /** The sum of `meta.rows_written`. */
  readonly rowsWritten: number
  /** Statements whose answer carries no `meta` (`first`, `raw`, `exec`). */
  readonly unmetered: number
  /** Calls of `pollNow` and `refreshTokens` that have reached the object. */
  readonly arrivals: number
  /** How often the object was constructed: once, and again after each eviction. */
  readonly starts: number
}

interface Operation<Input, Output> {
  readonly input: Input
  readonly output: Output
}

export interface Operations {
  /** Calls the echo method so often, one after the other. A worker's own clock is too coarse to time them: the asker does. */
  readonly echo: Operation<
    { readonly how: "typed" | "bare"; readonly userId: string; readonly text: string; readonly calls: number },
    null
  >
  readonly setTokens: Operation<{ readonly side: Side; readonly grants: ReadonlyArray<PlainGrant> }, null>
  /** Polls everybody, so many at once. Items that D1 took. */
  readonly poll: Operation<
    { readonly side: Side; readonly userIds: ReadonlyArray<string>; readonly atOnce: number },
    { readonly delivered: number; readonly undelivered: number; readonly failures: ReadonlyArray<string> }
  >
  /** These people's objects leave memory: each starts anew with what it is asked next. */
  readonly evict: Operation<{ readonly side: Side; readonly userIds: ReadonlyArray<string> }, null>
  /** Calls `pollNow` and `refreshTokens` all at once and returns how each kind of outcome counts. */
  readonly storm: Operation<
    { readonly userId: string; readonly polls: number; readonly refreshes: number },
    Readonly<Record<string, number>>
  >
  readonly counts: Operation<{ readonly userId: string }, D1Counts>
  /** What D1 holds of these people, in a fixed order, without the moments at which it was written. */
  readonly rows: Operation<
    { readonly side: Side; readonly userIds: ReadonlyArray<string> },
    Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>
  >
}

export type OperationName = keyof Operations

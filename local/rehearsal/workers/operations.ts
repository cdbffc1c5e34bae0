// What the rehearsal under Node asks of the observer worker: `POST /<operation>` with JSON in and JSON out.

export type Provider = "spotify" | "youtube"

interface Operation<Input, Output> {
  readonly input: Input
  readonly output: Output
}

/** What pollen holds of one account. No token is in it. */
export interface Holding {
  readonly userId: string
  readonly provider: Provider
  readonly state: string
  /** SHA-256 of the refresh token, as hexadecimal digits. */
  readonly refreshTokenDigest: string
}

export interface Operations {
  /** Statements on D1, in one batch; the rows of each. */
  readonly query: Operation<
    ReadonlyArray<{ readonly sql: string; readonly values?: ReadonlyArray<string | number | null> }>,
    ReadonlyArray<ReadonlyArray<unknown>>
  >
  /** Statements that all four workers have sent to D1 since they started, and how many of them name a column that holds tokens. */
  readonly statements: Operation<
    null,
    {
      readonly all: number
      readonly ofTokens: number
      /** The most subrequests that one invocation of any worker, or one instance of a run, has made since the workers started. */
      readonly mostSubrequests: number
    }
  >
  /** Asks for an access token of each account, as a worker does that acts on people's behalf; who answered, and how often. */
  readonly readTokens: Operation<
    ReadonlyArray<{ readonly userId: string; readonly provider: Provider }>,
    Readonly<Record<string, number>>
  >
  /** What the objects of these people hold. */
  readonly holdings: Operation<ReadonlyArray<string>, ReadonlyArray<Holding>>
}

export type OperationName = keyof Operations

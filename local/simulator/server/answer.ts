/** What goes back to the client. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** YouTube's quota units; 0 unless told. */
  readonly units?: number
  /** For the ledger: something no client should do. */
  readonly mark?: string
  /** For the ledger: what set by control refused it. */
  readonly fault?: string
}

/** A request after its path has been understood. */
export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
  /** Scheme and authority as the client wrote them: links in answers lead back here. */
  readonly base: string
  /** Whether the client came by a redirect of a simulator. */
  readonly redirected: boolean
}

export const header = (call: Call, name: string): string | null => {
  const value = call.headers[name]
  return typeof value === "string" ? value : null
}

export const bearer = (call: Call): string | null => {
  const [scheme, token] = header(call, "authorization")?.split(" ") ?? []
  return scheme?.toLowerCase() === "bearer" && token ? token : null
}

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body),
})

export const text = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body,
})

/** No header at all for `undefined`. */
export const retryAfterHeader = (value: number | string | undefined): Readonly<Record<string, string>> =>
  value === undefined ? {} : { "retry-after": String(value) }

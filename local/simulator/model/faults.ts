/** One change of a JSON document. */
export interface PointerSet {
  /** RFC 6901, for example `/items/0/name`; `-` is the place after an array's last element, and the empty text the whole document. */
  readonly path: string
  /** Without a value (and without `from`) the member goes. */
  readonly value?: unknown
  /** Takes the value from elsewhere in the true answer, for example `/href`. */
  readonly from?: string
}

/** A JSON merge patch (RFC 7396: `null` takes a member away), or changes by pointer, in order, which can also set a `null`. */
export type JsonPatch = Readonly<Record<string, unknown>> | ReadonlyArray<PointerSet>

/** Faults that leave the connection alone and spoil what is said on it. */
export type WrongAnswer =
  /**
   * The true answer, changed, where it is a 200 with JSON. `If-None-Match` is not heeded, so that there is a body to change. The
   * ledger names the fault only where it changed something.
   */
  | { readonly type: "patch"; readonly patch: JsonPatch }
  /**
   * Sends the client elsewhere; status 302 unless told. A location on this machine carries a mark that any simulator takes off again:
   * by it the ledger knows requests that followed.
   */
  | { readonly type: "redirect"; readonly location: string; readonly status?: number }
  /** So many bytes of blanks and then the true answer, which is still valid JSON, or `garbage`. Never held in memory as a whole. */
  | { readonly type: "huge"; readonly bytes: number; readonly end?: "answer" | "garbage" }
  /** 304 without a body or an entity tag, asked for or not. */
  | { readonly type: "not_modified" }
  /** An outage that looks like a revocation: the token endpoint refuses good grants. Hits token requests alone, whatever the match. */
  | { readonly type: "invalid_grant" }

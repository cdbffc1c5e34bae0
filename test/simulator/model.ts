/**
 * What the simulator and those who drive it agree on. Environment-neutral: used by the server under Node and by tests
 * inside workerd alike. Every moment is epoch milliseconds, every span has its unit in its name.
 */

export type Provider = "spotify" | "youtube"

/**
 * What a request asks for:
 * - `token`: the token endpoint, whatever the grant type
 * - `library`: a person's saved shows or subscriptions
 * - `items`: the episodes of a show, the entries of an uploads playlist, a channel's Atom feed
 * - `details`: single shows, episodes, videos, channels and profiles
 * - `other`: authorization, revocation, what the simulator refuses, and unknown paths
 */
export type RequestKind = "token" | "library" | "items" | "details" | "other"

/** `shows` and `channels`: ids of sources that exist, or how many to create just for this person. */
export interface NewPerson {
  readonly id: string
  readonly shows?: ReadonlyArray<string> | number
  readonly channels?: ReadonlyArray<string> | number
}

/** A person and the ids of their sources, the ones added last first. */
export interface Person {
  readonly id: string
  readonly shows: ReadonlyArray<string>
  readonly channels: ReadonlyArray<string>
}

export interface Seed {
  readonly people: number
  readonly showsEach?: number
  readonly channelsEach?: number
  /** Archive size of every source. Archives cost nothing until somebody asks for them. */
  readonly itemsEach?: number
  /** The part of each person's sources, 0 to 1, that is drawn from a pool common to all; the rest is theirs alone. */
  readonly sharedSources?: number
  /** People are called `<prefix>-0`, `<prefix>-1`, … Default `person`. Seeding the same prefix twice is refused. */
  readonly prefix?: string
}

export interface NewSource {
  readonly provider: Provider
  readonly title?: string
  /** Archive size. A YouTube channel with 0 has no uploads playlist yet: `404 playlistNotFound`. */
  readonly items?: number
  /** Spacing of the archive, into the past. Default 24. */
  readonly publishEveryHours?: number
  /** The source keeps only its newest n items, so its total never changes once it is full. */
  readonly rollingWindow?: number
}

/**
 * - both: `normal`
 * - Spotify: `null` (the page holds `null` in its place), `unplayable`, `precision-month`, `precision-year`
 * - YouTube: `private` and `deleted` (a bare entry, and nothing in `videos.list`), `upcoming`, `live`, `short`
 */
export type ItemKind =
  | "normal"
  | "null"
  | "unplayable"
  | "private"
  | "deleted"
  | "upcoming"
  | "live"
  | "short"
  | "precision-month"
  | "precision-year"

export interface NewItem {
  readonly title?: string
  readonly kind?: ItemKind
  /** Epoch milliseconds. Default: now. One that lies before the newest item is put where it belongs by date. */
  readonly publishedAt?: number
  /** Epoch milliseconds; for `upcoming`. Default: a day after publication. */
  readonly scheduledStart?: number
}

export interface ItemChange {
  readonly kind?: ItemKind
  readonly title?: string
  readonly publishedAt?: number
  readonly scheduledStart?: number
}

export interface Item {
  readonly id: string
  readonly source: string
  readonly kind: ItemKind
  readonly title: string
  /** Epoch milliseconds. */
  readonly publishedAt: number
  /** Epoch milliseconds, or null where nothing was scheduled. */
  readonly scheduledStart: number | null
}

export interface GrantOptions {
  /** Space-separated. Default: all that pollen asks for. */
  readonly scope?: string
  /** Lifetime of this one access token; 0 or less is one that has already expired. */
  readonly expiresInSeconds?: number
  /** The application that the grant is for. Default: the provider's first one. */
  readonly clientId?: string
}

export interface GrantRequest extends GrantOptions {
  readonly person: string
  readonly provider: Provider
}

/** What an application holds after a person's consent. */
export interface Grant {
  readonly person: string
  readonly provider: Provider
  readonly accessToken: string
  readonly refreshToken: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: string
}

/** What the provider itself holds for true, over all grants of that person that have not been revoked. */
export interface TokenState {
  /** The refresh token issued last that still works, or null when none does. */
  readonly currentRefreshToken: string | null
  /** Every refresh token that would be accepted now, oldest first. */
  readonly acceptedRefreshTokens: ReadonlyArray<string>
  /** Access tokens that would be accepted now, oldest first. */
  readonly liveAccessTokens: ReadonlyArray<string>
  /** Grants that are neither revoked nor pushed out. */
  readonly liveGrants: number
  /** Successful refreshes so far. */
  readonly refreshes: number
  /** How often a refresh token was presented after it had been exchanged for a newer one, accepted or not. */
  readonly reuses: number
  /** How often a refresh was answered `invalid_grant`. */
  readonly refusals: number
}

/** How a provider treats the refresh token at a refresh. */
export type RefreshTokenRotation =
  /** The answer carries none; the one there is lives on. */
  | "none"
  /** The answer carries a new one; the older ones are accepted until it is used. */
  | "rotate"
  /** The answer carries a new one; the older one is dead at once. */
  | "single-use"

/** All that is given has to hold. `kind: "any"` is the same as leaving it out. */
export interface RequestMatch {
  readonly provider?: Provider
  readonly person?: string
  /** A part, or the source of a regular expression, of path and query: `/spotify/api/v1/me/shows?limit=50&offset=50`. */
  readonly path?: string
  readonly kind?: RequestKind | "any"
  readonly method?: string
}

export type Fault =
  /** Without a body, the provider's usual one for that status. A body that is not a string is sent as JSON. */
  | {
      readonly type: "status"
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  /**
   * Spotify: 429 with `Retry-After` (default 1 s) and, if given, `reason`. YouTube: 403 `rateLimitExceeded` or the
   * reason given, with `Retry-After` only if asked for.
   */
  | { readonly type: "rate_limited"; readonly retryAfterSeconds?: number; readonly reason?: string }
  /** Spotify: 429 with reason `QUOTA_EXCEEDED` and `Retry-After` (default 3600 s). YouTube: 403 `quotaExceeded`. */
  | { readonly type: "quota_exceeded"; readonly retryAfterSeconds?: number }
  /** Never answered; ends when the caller gives up, or with `reset` or the simulator. */
  | { readonly type: "hang" }
  /** The connection is cut before any answer. */
  | { readonly type: "reset" }
  /** Headers and half of the body, then the connection is cut. */
  | { readonly type: "truncated" }
  /** A page of HTML in place of JSON; status 200 unless told. */
  | { readonly type: "html"; readonly status?: number }
  /** Answered properly, but late. Adds up with any other fault. */
  | { readonly type: "slow"; readonly ms: number }

export type FaultType = Fault["type"]

export interface FaultRule {
  readonly match?: RequestMatch
  readonly fault: Fault
  /** How likely each matching request is hit, 0 to 1, from the simulator's seed. Default 1. */
  readonly rate?: number
  /** The rule ends after so many hits. */
  readonly times?: number
  /** The request takes effect first (a token rotates, quota is used), then its answer is lost to the fault. */
  readonly afterProcessing?: boolean
}

export interface RandomFaults {
  /** Default: `status` (500, 502 or 503), `rate_limited` (1 s), `reset`, `truncated` and `html`. */
  readonly types?: ReadonlyArray<FaultType>
  readonly match?: RequestMatch
  /** How many of the faults strike after the request took effect, 0 to 1. Default 0. */
  readonly afterProcessing?: number
  /** Lifts the faults by itself after so many hits. */
  readonly times?: number
}

export interface HoldOptions {
  /** Parks the answer instead of the request: whatever the request does has been done. */
  readonly afterProcessing?: boolean
}

/** YouTube's daily quota of one application (project). */
export interface Quota {
  readonly provider: Provider
  /** Units left today; null for no limit at all. */
  readonly remaining: number | null
  /** From now on, units a day; null for no limit. Default: unchanged. */
  readonly perDay?: number | null
  /** Default: the provider's first application. */
  readonly clientId?: string
}

export interface RateLimit {
  readonly provider: Provider
  /** Over a rolling window of 30 s, token requests apart; null for no limit. */
  readonly requestsPer30s: number | null
  readonly clientId?: string
}

export interface NewClient {
  readonly provider: Provider
  readonly id: string
  /** Left out: a public client, which can use PKCE only. */
  readonly secret?: string
}

export interface LedgerFilter {
  readonly person?: string
  readonly provider?: Provider
  readonly kind?: RequestKind
  /** Only entries with a greater `seq`. */
  readonly since?: number
}

export interface LedgerEntry {
  /** Order of arrival, from 1. */
  readonly seq: number
  /** Arrival, epoch milliseconds. */
  readonly at: number
  readonly provider: Provider | null
  /** Known from the access token, refresh token or code; null where there was none, or an unknown one. */
  readonly person: string | null
  readonly clientId: string | null
  readonly kind: RequestKind
  readonly method: string
  /** Below the simulator's base: `/spotify/api/v1/me/shows`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** 0 while it is unanswered, and for good when the connection was cut or the caller gave up. */
  readonly status: number
  /** The request took effect, whatever came of its answer. */
  readonly processed: boolean
  /** The type of the fault that struck. */
  readonly fault?: FaultType
  readonly grantType?: string
  /** The refresh token presented had been exchanged for a newer one before. */
  readonly refreshTokenReused?: boolean
  /** It carried `If-None-Match`. */
  readonly conditional: boolean
  /** Quota units that it used. */
  readonly units: number
  /** A request that pollen must never make: `search.list`. */
  readonly forbidden?: boolean
}

export interface LedgerCounts {
  readonly total: number
  readonly byKind: Readonly<Record<RequestKind, number>>
  readonly byStatus: Readonly<Record<string, number>>
  readonly byProvider: Readonly<Record<Provider, number>>
  readonly units: number
}

/** Every token that was ever issued, for searches of logs and databases. */
export interface Secrets {
  readonly accessTokens: ReadonlyArray<string>
  readonly refreshTokens: ReadonlyArray<string>
}

/** The control API: `POST /control/<name>` with the input as JSON, answered with the output as JSON. */
export interface Commands {
  createPeople: { input: ReadonlyArray<NewPerson>; output: ReadonlyArray<Person> }
  seed: { input: Seed; output: ReadonlyArray<Person> }
  library: { input: { person: string }; output: Person }
  createSources: { input: ReadonlyArray<NewSource>; output: ReadonlyArray<string> }
  subscribe: { input: { person: string; source: string }; output: null }
  unsubscribe: { input: { person: string; source: string }; output: null }
  rename: { input: { source: string; title: string }; output: null }
  removeSource: { input: { source: string }; output: null }
  publish: { input: { source: string; items: number | ReadonlyArray<NewItem> }; output: ReadonlyArray<Item> }
  publishMany: {
    input: ReadonlyArray<{ source: string; count: number }>
    output: ReadonlyArray<ReadonlyArray<Item>>
  }
  changeItem: { input: { id: string; change: ItemChange }; output: Item }
  removeItem: { input: { id: string }; output: null }
  items: { input: { source: string }; output: ReadonlyArray<Item> }
  createClient: { input: NewClient; output: null }
  grants: { input: ReadonlyArray<GrantRequest>; output: ReadonlyArray<Grant> }
  revoke: { input: { person: string; provider: Provider }; output: null }
  expireAccessTokens: { input: { person?: string; provider?: Provider }; output: number }
  tokenState: { input: { person: string; provider: Provider }; output: TokenState }
  setFaults: { input: ReadonlyArray<FaultRule>; output: ReadonlyArray<string> }
  randomFaults: { input: RandomFaults & { rate: number }; output: string }
  clearFaults: { input: { ids?: ReadonlyArray<string> }; output: null }
  hold: { input: HoldOptions & { match: RequestMatch }; output: string }
  waitForHeld: { input: { id: string; count: number }; output: number }
  release: { input: { id: string; count?: number }; output: number }
  setQuota: { input: Quota; output: null }
  quota: { input: { provider: Provider; clientId?: string }; output: { remaining: number | null; resetsAt: number } }
  setRateLimit: { input: RateLimit; output: null }
  advanceClock: { input: { milliseconds: number }; output: number }
  ledger: { input: LedgerFilter; output: ReadonlyArray<LedgerEntry> }
  counts: { input: LedgerFilter; output: LedgerCounts }
  clearLedger: { input: { person?: string }; output: null }
  maxConcurrent: { input: { person?: string }; output: number }
  secrets: { input: Record<string, never>; output: Secrets }
  reset: { input: Record<string, never>; output: null }
}

export type CommandName = keyof Commands

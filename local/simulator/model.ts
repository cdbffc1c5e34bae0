import type { RegisteredClient } from "./model/clients.ts"
import type { WrongAnswer } from "./model/faults.ts"
import type { GrantLifetime } from "./model/lifetimes.ts"
import type { SourceOddities } from "./model/sources.ts"

/** The words the simulator and those who control it share. Everything here crosses the wire as JSON. */

export type Provider = "spotify" | "youtube"

/**
 * What a request is for: `token` is a token endpoint, `library` what a person follows, `items` one source's episodes or
 * videos (the Atom feed too), `details` a single show, episode, channel or video, `other` everything else.
 */
export type RequestKind = "token" | "library" | "items" | "details" | "other"

/**
 * What a refresh does to the refresh token.
 * `none`: it stays, and the answer carries none. `rotate`: the answer carries a new one and the old one is accepted until
 * the new one is used. `single-use`: the old one dies at once, and using it again is `invalid_grant`.
 */
export type Rotation = "none" | "rotate" | "single-use"

/**
 * Spotify: `normal`, `null` (a `null` in the listing), `unplayable`, `precision-month`, `precision-year`.
 * YouTube: `normal`, `private`, `deleted`, `upcoming`, `live`, `short`.
 */
export type ItemKind =
  | "normal"
  | "null"
  | "unplayable"
  | "precision-month"
  | "precision-year"
  | "private"
  | "deleted"
  | "upcoming"
  | "live"
  | "short"

/** Options of `startSimulator`. */
export interface SimulatorOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number
  /** Of every random draw: ids, tokens, and which requests a fault with a rate hits. */
  readonly seed?: number
  /** Seconds; 3600 unless told. Google announces one second less, as the real one does. */
  readonly accessTokenLifetimeSeconds?: number
  /** `rotate` for Spotify and `none` for YouTube unless told. */
  readonly refreshTokenRotation?: { readonly spotify?: Rotation; readonly youtube?: Rotation }
  /** Known besides `simulator-client` with `simulator-secret`, which every provider knows from the start. */
  readonly clients?: { readonly [P in Provider]?: ReadonlyArray<RegisteredClient> }
  /** What is not told stays as `GrantLifetime` says. */
  readonly grantLifetimes?: { readonly [P in Provider]?: GrantLifetime }
  /** Answers `GET /v1/shows?ids=` and `GET /v1/episodes?ids=`, which development mode lost in February 2026. */
  readonly severalEndpoints?: boolean
}

export interface PersonInput {
  readonly id: string
  /** Source ids to follow, the last one followed last. */
  readonly sources?: ReadonlyArray<string>
}

export interface SourceInput extends SourceOddities {
  readonly provider: Provider
  /** One that no source has. The provider's pattern is not asked for: `.` and `a,b` are ids too. Drawn unless told. */
  readonly id?: string
  readonly title?: string
  /** Size of the archive at the start, 0 unless told. */
  readonly items?: number
  /** The distance between archive items, 24 unless told. Nothing is published by itself: `publish` does that. */
  readonly publishEveryHours?: number
  /** Keeps only the newest so many, so that the total stays the same while episodes come and go. */
  readonly rollingWindow?: number
  /** `false`: a channel whose uploads playlist does not exist (`404 playlistNotFound`). */
  readonly uploads?: boolean
}

export interface SeedInput {
  /** A number makes ids `person-1`, `person-2`, … that no earlier seed has used. */
  readonly people: number | ReadonlyArray<string>
  readonly showsEach: number
  readonly channelsEach: number
  readonly itemsEach: number
  /** The part of each person's sources, 0 to 1, drawn from a pool common to all people of this seed; 0 unless told. */
  readonly sharedFraction?: number
}

export interface SeededPerson {
  readonly id: string
  readonly shows: ReadonlyArray<string>
  readonly channels: ReadonlyArray<string>
}

export interface PublishedItem {
  /** One that no item has, whatever it looks like. Drawn unless told. */
  readonly id?: string
  readonly title?: string
  readonly kind?: ItemKind
  /** Epoch milliseconds; the simulator's clock unless told. */
  readonly publishedAt?: number
  /** Epoch milliseconds, of `upcoming` and `live`; an hour after `publishedAt` unless told. */
  readonly scheduledStart?: number
  /** How many items stand above it in listings, 0 unless told: 50 puts it on Spotify's second page. */
  readonly below?: number
}

export interface ItemReference {
  readonly id: string
}

export interface ItemState {
  readonly id: string
  readonly title: string
  readonly kind: ItemKind
  /** Epoch milliseconds. */
  readonly publishedAt: number
}

export interface GrantInput {
  /** Every scope pollen asks for unless told. */
  readonly scope?: ReadonlyArray<string>
  /** Of this first access token only; negative for one that has expired already. */
  readonly expiresInSeconds?: number
  /** Epoch milliseconds of the person's consent; the simulator's clock unless told. */
  readonly authorizedAt?: number
  /** The OAuth client that it is given to, the only one that can refresh it; `simulator-client` unless told. */
  readonly clientId?: string
}

export interface Grant {
  readonly accessToken: string
  readonly refreshToken: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string>
}

export interface TokenState {
  /** In order of issue; empty once revoked. */
  readonly validRefreshTokens: ReadonlyArray<string>
  readonly newestRefreshToken: string | null
  /** How often a refresh token was presented that had already been exchanged for a newer one, accepted or not. */
  readonly reuses: number
  /** How many refreshes took effect, answers lost on the way included. */
  readonly refreshes: number
}

/** Which requests. Every field given must hold; an empty match is every request to a provider. */
export interface RequestMatch {
  readonly provider?: Provider
  readonly person?: string
  /** A part of the path, for example `/episodes` or a show's id; the query string counts as part of it. */
  readonly path?: string
  readonly kind?: RequestKind
  readonly method?: string
}

export type Fault =
  /** The provider's usual error body for that status unless `body` is given: a string as it is, the rest as JSON. */
  | {
      readonly type: "status"
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Spotify: 429 with `Retry-After`. YouTube: 403 with `reason`, `rateLimitExceeded` unless told. Token: 429. */
  | {
      readonly type: "rate_limited"
      readonly retryAfterSeconds?: number
      /** The header's text as it is, however absurd, in place of the seconds. Without either there is no header. */
      readonly retryAfter?: string
      readonly reason?: string
    }
  /** Spotify: 429 with `"reason":"QUOTA_EXCEEDED"`. YouTube: 403 `quotaExceeded`. */
  | { readonly type: "quota_exceeded" }
  /** Never answers; the connection stays open until the client gives up. */
  | { readonly type: "hang" }
  /** The connection is reset before a byte of the answer. */
  | { readonly type: "reset" }
  /** Announces the whole length and closes half way. */
  | { readonly type: "truncated" }
  /** A page of a proxy in place of JSON; status 200 unless told. */
  | { readonly type: "html"; readonly status?: number }
  /** The true answer, late. */
  | { readonly type: "slow"; readonly ms: number }
  | WrongAnswer

/** Header of a request that brings its own fault: `{ "fault": Fault, "afterProcessing": boolean }` as JSON. No rule is asked then. */
export const faultHeader = "simulator-fault"

export interface FaultRule {
  readonly match: RequestMatch
  readonly fault: Fault
  /** 0 to 1, by the simulator's seed; 1 unless told. */
  readonly rate?: number
  /** Spent after so many hits; without end unless told. */
  readonly times?: number
  /** Over so many milliseconds of the simulator's clock after it was set; without end unless told. */
  readonly forMs?: number
  /** The request takes effect (a token rotates, for example) and only its answer is replaced. */
  readonly afterProcessing?: boolean
}

export type RandomFaultKind = "status" | "reset" | "truncated" | "html" | "slow"

export interface RandomFaultsInput {
  /** 0 to 1: the part of the matching requests that fail, all kinds together. */
  readonly rate: number
  readonly kinds?: ReadonlyArray<RandomFaultKind>
  readonly match?: RequestMatch
}

export interface HoldOptions {
  /** Parks the answer and not the request: a token has rotated already. */
  readonly afterProcessing?: boolean
  /** Parks only the first so many; the rest pass. */
  readonly times?: number
}

/** Whose quota or rate limit. */
export interface LimitOwner {
  readonly provider: Provider
  /** As `RegisteredClient` names it; that of `simulator-client` unless told. */
  readonly developer?: string
}

export interface QuotaInput extends LimitOwner {
  /** Units left until the next midnight in Pacific time, 10,000 a day from then on; `null` for no quota at all. */
  readonly remaining: number | null
}

export interface QuotaState {
  readonly remaining: number | null
  /** Epoch milliseconds: the next midnight in Pacific time. */
  readonly resetsAt: number
  /** Units spent since the last midnight in Pacific time, with or without a quota. */
  readonly spent: number
}

export interface RateLimitInput extends LimitOwner {
  /** Of all people together over a rolling window of 30 seconds; `null` for no limit. Token requests do not count. */
  readonly requestsPer30s: number | null
}

export interface LedgerEntry {
  /** From 1, in order of arrival. */
  readonly seq: number
  /** Epoch milliseconds of the arrival, by the simulator's clock. */
  readonly at: number
  /** `null` for a path of neither provider. */
  readonly provider: Provider | null
  /** Known from the token, dead ones included; `null` where there is none. */
  readonly person: string | null
  readonly kind: RequestKind
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** 0 while there is no answer, and for ever where none was sent. */
  readonly status: number
  /** The type of the fault that replaced or delayed the answer; `rate_limit` and `quota` for those set by control. */
  readonly fault?: string
  /** Something no client should do, for example `search.list`. */
  readonly mark?: string
  readonly grantType?: string
  /** Of a token request that names its client, known to the provider or not. */
  readonly clientId?: string
  /** The refresh token presented had already been exchanged for a newer one. */
  readonly refreshTokenReused?: boolean
  /** Whether it came with `If-None-Match`. */
  readonly conditional: boolean
  /** It came by the redirect of a `redirect` fault, of this simulator or another one. */
  readonly redirected?: boolean
  /** YouTube's quota units; 0 for Spotify and for token requests. */
  readonly units: number
}

export interface LedgerFilter {
  readonly person?: string
  readonly provider?: Provider
  readonly kind?: RequestKind
  /** Only entries with a greater `seq`. */
  readonly since?: number
}

export interface Counts {
  readonly total: number
  readonly byKind: Readonly<Partial<Record<RequestKind, number>>>
  /** By status as text; `0` for no answer. */
  readonly byStatus: Readonly<Record<string, number>>
  readonly byProvider: Readonly<Partial<Record<Provider, number>>>
  readonly units: number
}

interface Operation<Input, Output> {
  readonly input: Input
  readonly output: Output
}

/** Each is a `POST /control/<name>` with its input as a JSON body; what fails is 4xx with `{ "error": string }`. */
/** A request to the WebSub hub, and whether its callback has confirmed it. */
export interface PushSubscription {
  readonly source: string
  readonly topic: string
  readonly callback: string
  readonly secret: string
  readonly leaseSeconds: number
  readonly confirmed: boolean
}

export interface ControlOperations {
  readonly createPeople: Operation<ReadonlyArray<PersonInput>, null>
  readonly seed: Operation<SeedInput, ReadonlyArray<SeededPerson>>
  readonly createSources: Operation<ReadonlyArray<SourceInput>, ReadonlyArray<string>>
  readonly subscribe: Operation<{ readonly person: string; readonly sources: ReadonlyArray<string> }, null>
  readonly unsubscribe: Operation<{ readonly person: string; readonly sources: ReadonlyArray<string> }, null>
  readonly rename: Operation<{ readonly source: string; readonly title: string }, null>
  readonly removeSource: Operation<{ readonly source: string }, null>
  readonly changeSource: Operation<{ readonly source: string } & SourceOddities, null>
  readonly publish: Operation<
    { readonly source: string; readonly items: number | ReadonlyArray<PublishedItem> },
    ReadonlyArray<ItemReference>
  >
  readonly publishMany: Operation<
    ReadonlyArray<{ readonly source: string; readonly count: number }>,
    ReadonlyArray<ReadonlyArray<ItemReference>>
  >
  /** What the WebSub hub has been asked for of a source. */
  readonly pushSubscriptions: Operation<{ readonly source: string }, ReadonlyArray<PushSubscription>>
  /** Pushes items of a source, of whatever age, to all who have confirmed that they want it; returns what is pushed. */
  readonly push: Operation<{ readonly source: string; readonly ids: ReadonlyArray<string> }, { readonly body: string }>
  readonly changeItem: Operation<{ readonly id: string; readonly kind: ItemKind }, null>
  readonly removeItem: Operation<{ readonly id: string }, null>
  readonly removeItems: Operation<{ readonly source: string }, null>
  readonly items: Operation<{ readonly source: string }, ReadonlyArray<ItemState>>
  readonly grants: Operation<
    ReadonlyArray<{ readonly person: string; readonly provider: Provider } & GrantInput>,
    ReadonlyArray<Grant>
  >
  readonly revoke: Operation<{ readonly person: string; readonly provider: Provider }, null>
  readonly expireAccessTokens: Operation<{ readonly person?: string; readonly provider?: Provider }, null>
  readonly tokenState: Operation<{ readonly person: string; readonly provider: Provider }, TokenState>
  /** Of everybody at a provider, or of one person there. */
  readonly setRotation: Operation<
    { readonly provider: Provider; readonly mode: Rotation; readonly person?: string },
    null
  >
  /** Of everybody at a provider, or of one person there; what is not told stays. */
  readonly setGrantLifetime: Operation<{ readonly provider: Provider; readonly person?: string } & GrantLifetime, null>
  readonly addClients: Operation<
    { readonly provider: Provider; readonly clients: ReadonlyArray<RegisteredClient> },
    null
  >
  readonly removeClient: Operation<{ readonly provider: Provider; readonly id: string }, null>
  readonly setFaults: Operation<ReadonlyArray<FaultRule>, ReadonlyArray<string>>
  readonly clearFaults: Operation<{ readonly ids?: ReadonlyArray<string> }, null>
  readonly randomFaults: Operation<RandomFaultsInput, ReadonlyArray<string>>
  readonly setQuota: Operation<QuotaInput, null>
  readonly quota: Operation<LimitOwner, QuotaState>
  readonly setRateLimit: Operation<RateLimitInput, null>
  readonly hold: Operation<{ readonly match: RequestMatch } & HoldOptions, string>
  readonly release: Operation<{ readonly id: string }, null>
  readonly waitForHeld: Operation<{ readonly id: string; readonly count: number; readonly timeoutMs: number }, null>
  readonly waitForRequests: Operation<
    { readonly filter: LedgerFilter; readonly count: number; readonly timeoutMs: number },
    null
  >
  readonly ledger: Operation<LedgerFilter, ReadonlyArray<LedgerEntry>>
  readonly counts: Operation<LedgerFilter, Counts>
  readonly clearLedger: Operation<{ readonly person?: string }, null>
  readonly maxConcurrent: Operation<LedgerFilter, number>
  readonly secrets: Operation<Record<string, never>, ReadonlyArray<string>>
  readonly now: Operation<Record<string, never>, number>
  readonly advanceClock: Operation<{ readonly ms: number }, number>
  readonly setClock: Operation<{ readonly at: number | null }, number>
  readonly reset: Operation<Record<string, never>, null>
}

export type OperationName = keyof ControlOperations

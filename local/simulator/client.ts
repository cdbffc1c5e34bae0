import { endpointsAt } from "./endpoints.ts"
import type { RegisteredClient } from "./model/clients.ts"
import type { GrantLifetime } from "./model/lifetimes.ts"
import type { SourceOddities } from "./model/sources.ts"
import type {
  ControlOperations,
  Counts,
  FaultRule,
  Grant,
  GrantInput,
  HoldOptions,
  ItemKind,
  ItemReference,
  ItemState,
  LedgerEntry,
  LedgerFilter,
  OperationName,
  PersonInput,
  Provider,
  PublishedItem,
  PushSubscription,
  QuotaInput,
  QuotaState,
  RandomFaultsInput,
  RateLimitInput,
  RequestMatch,
  Rotation,
  SeededPerson,
  SeedInput,
  SourceInput,
  TokenState,
} from "./model.ts"

/** The simulator refused an instruction; the message says which and why. */
export class SimulatorError extends Error {
  override readonly name = "SimulatorError"
}

const defaultWaitMs = 10_000

/**
 * Controls a running simulator. Needs nothing but `fetch`, so it works in Node, in a browser and inside workerd.
 * People are made when they are first named; sources and items must exist.
 */
export class SimulatorClient {
  /** Without a slash at its end, for example `http://127.0.0.1:8799`. */
  readonly url: string

  constructor(url: string) {
    this.url = url.replace(/\/+$/, "")
  }

  /** The providers' addresses below this simulator, each in place of the real one named beside it. */
  get endpoints() {
    return endpointsAt(this.url)
  }

  // People and sources

  /** Makes people who follow the sources given; for a person who exists the sources are added. */
  async createPeople(people: ReadonlyArray<PersonInput>): Promise<void> {
    await this.call("createPeople", people)
  }

  /** Makes many people with shows and channels at once. Archives take no memory until they are first listed. */
  seed(input: SeedInput): Promise<ReadonlyArray<SeededPerson>> {
    return this.call("seed", input)
  }

  /** Makes a show or a channel and returns its id. */
  async createSource(input: SourceInput): Promise<string> {
    const [id] = await this.call("createSources", [input])
    if (id === undefined) throw new SimulatorError("createSource made nothing")
    return id
  }

  createSources(inputs: ReadonlyArray<SourceInput>): Promise<ReadonlyArray<string>> {
    return this.call("createSources", inputs)
  }

  /** Follows the sources, the last one named being the newest in the library. */
  async subscribe(person: string, ...sources: ReadonlyArray<string>): Promise<void> {
    await this.call("subscribe", { person, sources })
  }

  async unsubscribe(person: string, ...sources: ReadonlyArray<string>): Promise<void> {
    await this.call("unsubscribe", { person, sources })
  }

  async rename(source: string, title: string): Promise<void> {
    await this.call("rename", { source, title })
  }

  /** From now on 404 wherever it is asked for by id, and still listed in libraries. */
  async removeSource(source: string): Promise<void> {
    await this.call("removeSource", { source })
  }

  /** From its next listing on; what is not told stays. */
  async changeSource(source: string, oddities: SourceOddities): Promise<void> {
    await this.call("changeSource", { ...oddities, source })
  }

  // Items

  /** What the WebSub hub has been asked for of a source. */
  pushSubscriptions(source: string): Promise<ReadonlyArray<PushSubscription>> {
    return this.call("pushSubscriptions", { source })
  }

  /** Pushes items of a source once more, whatever their age; returns what is pushed. */
  push(source: string, ids: ReadonlyArray<string>): Promise<{ readonly body: string }> {
    return this.call("push", { source, ids })
  }

  /** Puts items at the front of a source. Returned in order of publication: the last one is first in listings. */
  publish(source: string, items: number | ReadonlyArray<PublishedItem>): Promise<ReadonlyArray<ItemReference>> {
    return this.call("publish", { source, items })
  }

  /** `publish` for many sources in one request; the answers are in the same order. */
  publishMany(
    publications: ReadonlyArray<{ readonly source: string; readonly count: number }>,
  ): Promise<ReadonlyArray<ReadonlyArray<ItemReference>>> {
    return this.call("publishMany", publications)
  }

  /** For example a premiere that goes live (`live`) and ends (`normal`), or a private video made public. */
  async changeItem(id: string, change: { readonly kind: ItemKind }): Promise<void> {
    await this.call("changeItem", { id, kind: change.kind })
  }

  /** Takes an item out of its source altogether: everything after it moves up by one. */
  async removeItem(id: string): Promise<void> {
    await this.call("removeItem", { id })
  }

  /** Takes every item out of a source, archive and all. */
  async removeItems(source: string): Promise<void> {
    await this.call("removeItems", { source })
  }

  /** What exists in a source, newest first, whatever its kind. */
  items(source: string): Promise<ReadonlyArray<ItemState>> {
    return this.call("items", { source })
  }

  // Tokens

  /** A new pair of tokens, as after the person's consent. Earlier grants of the person stay valid. */
  async grant(person: string, provider: Provider, input: GrantInput = {}): Promise<Grant> {
    const [grant] = await this.call("grants", [{ ...input, person, provider }])
    if (grant === undefined) throw new SimulatorError("grant made nothing")
    return grant
  }

  /** `grant` for many in one request; the answers are in the same order. */
  grants(
    inputs: ReadonlyArray<{ readonly person: string; readonly provider: Provider } & GrantInput>,
  ): Promise<ReadonlyArray<Grant>> {
    return this.call("grants", inputs)
  }

  /** As when the person removes the application: every access and refresh token of theirs dies. */
  async revoke(person: string, provider: Provider): Promise<void> {
    await this.call("revoke", { person, provider })
  }

  /** Access tokens issued so far expire now; refresh tokens stay. Narrowed by person, provider or both. */
  async expireAccessTokens(which: { readonly person?: string; readonly provider?: Provider } = {}): Promise<void> {
    await this.call("expireAccessTokens", which)
  }

  tokenState(person: string, provider: Provider): Promise<TokenState> {
    return this.call("tokenState", { person, provider })
  }

  /** Holds for refreshes from now on, for everybody. */
  async setRotation(provider: Provider, mode: Rotation, person?: string): Promise<void> {
    await this.call("setRotation", { provider, mode, ...(person === undefined ? {} : { person }) })
  }

  /** How long grants live, those given already included; for everybody at the provider, or for one person. */
  async setGrantLifetime(provider: Provider, lifetime: GrantLifetime, person?: string): Promise<void> {
    await this.call("setGrantLifetime", { ...lifetime, provider, ...(person === undefined ? {} : { person }) })
  }

  /** Registers OAuth clients; one whose id is known already takes that one's place. */
  async addClients(provider: Provider, ...clients: ReadonlyArray<RegisteredClient>): Promise<void> {
    await this.call("addClients", { provider, clients })
  }

  /** From now on `invalid_client`. Its grants are kept, and work again once it is added again. */
  async removeClient(provider: Provider, id: string): Promise<void> {
    await this.call("removeClient", { provider, id })
  }

  // Faults, limits and gates

  /** Adds rules to those that are there; the first one that matches and is drawn wins. Returns their ids. */
  setFaults(rules: ReadonlyArray<FaultRule>): Promise<ReadonlyArray<string>> {
    return this.call("setFaults", rules)
  }

  /** All of them without ids. */
  async clearFaults(ids?: ReadonlyArray<string>): Promise<void> {
    await this.call("clearFaults", ids === undefined ? {} : { ids })
  }

  /** A mix of 500, resets, truncated answers, HTML and short delays, none of which takes effect at a token endpoint. */
  randomFaults(input: RandomFaultsInput): Promise<ReadonlyArray<string>> {
    return this.call("randomFaults", input)
  }

  async setQuota(input: QuotaInput): Promise<void> {
    await this.call("setQuota", input)
  }

  quota(provider: Provider, developer?: string): Promise<QuotaState> {
    return this.call("quota", { provider, ...(developer === undefined ? {} : { developer }) })
  }

  async setRateLimit(input: RateLimitInput): Promise<void> {
    await this.call("setRateLimit", input)
  }

  /** Parks matching requests, in ledger and all, until `release`; a client that gives up takes its request with it. */
  hold(match: RequestMatch, options: HoldOptions = {}): Promise<string> {
    return this.call("hold", { ...options, match })
  }

  /** Lets everything go that a gate has parked, and removes the gate. */
  async release(id: string): Promise<void> {
    await this.call("release", { id })
  }

  /** Returns as soon as a gate holds so many; fails with `SimulatorError` after `timeoutMs`. */
  async waitForHeld(id: string, count = 1, timeoutMs = defaultWaitMs): Promise<void> {
    await this.call("waitForHeld", { id, count, timeoutMs })
  }

  /** Returns as soon as so many matching requests were answered or lost; fails with `SimulatorError` after `timeoutMs`. */
  async waitForRequests(filter: LedgerFilter, count = 1, timeoutMs = defaultWaitMs): Promise<void> {
    await this.call("waitForRequests", { filter, count, timeoutMs })
  }

  // What happened

  /** Every request to a provider (control is not in it) in order of arrival. */
  ledger(filter: LedgerFilter = {}): Promise<ReadonlyArray<LedgerEntry>> {
    return this.call("ledger", filter)
  }

  counts(filter: LedgerFilter = {}): Promise<Counts> {
    return this.call("counts", filter)
  }

  async clearLedger(person?: string): Promise<void> {
    await this.call("clearLedger", person === undefined ? {} : { person })
  }

  /** The most matching requests that were ever open at the same moment. */
  maxConcurrent(filter: LedgerFilter = {}): Promise<number> {
    return this.call("maxConcurrent", filter)
  }

  /** Every access and refresh token ever issued, `reset` or not: none of them may turn up in a log or in plain storage. */
  secrets(): Promise<ReadonlyArray<string>> {
    return this.call("secrets", {})
  }

  // Time

  /** The simulator's clock, epoch milliseconds. */
  now(): Promise<number> {
    return this.call("now", {})
  }

  /** Moves the clock forward for token expiry, quota days, rate limits and dates of publication. Returns the new time. */
  advanceClock(ms: number): Promise<number> {
    return this.call("advanceClock", { ms })
  }

  /** Starts the clock anew at an epoch millisecond; `null` returns it to the true time. */
  setClock(at: number | null): Promise<number> {
    return this.call("setClock", { at })
  }

  /** Forgets everything but `secrets`, and returns to the options the simulator was started with. */
  async reset(): Promise<void> {
    await this.call("reset", {})
  }

  private async call<Name extends OperationName>(
    name: Name,
    input: ControlOperations[Name]["input"],
  ): Promise<ControlOperations[Name]["output"]> {
    const response = await fetch(`${this.url}/control/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    })
    const text = await response.text()
    if (!response.ok) throw new SimulatorError(`${name}: ${text}`)
    return JSON.parse(text) as ControlOperations[Name]["output"]
  }
}

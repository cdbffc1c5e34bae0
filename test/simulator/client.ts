import type {
  CommandName,
  Commands,
  FaultRule,
  Grant,
  GrantOptions,
  GrantRequest,
  HoldOptions,
  Item,
  ItemChange,
  LedgerCounts,
  LedgerEntry,
  LedgerFilter,
  NewClient,
  NewItem,
  NewPerson,
  NewSource,
  Person,
  Provider,
  Quota,
  RandomFaults,
  RateLimit,
  RequestMatch,
  Secrets,
  Seed,
  TokenState,
} from "./model.ts"

/** The simulator refused a command: an unknown id, a kind that the provider does not have, a name taken twice. */
export class SimulatorError extends Error {
  override readonly name = "SimulatorError"
}

/** The base URLs that stand for the providers' hosts; none ends in a slash. */
export interface ProviderAddresses {
  /** `https://accounts.spotify.com/authorize` */
  readonly spotifyAuthorize: string
  /** `https://accounts.spotify.com/api/token` */
  readonly spotifyToken: string
  /** `https://api.spotify.com/v1` */
  readonly spotifyApi: string
  /** `https://accounts.google.com/o/oauth2/v2/auth` */
  readonly googleAuthorize: string
  /** `https://oauth2.googleapis.com/token` */
  readonly googleToken: string
  /** `https://oauth2.googleapis.com/revoke` */
  readonly googleRevoke: string
  /** `https://www.googleapis.com/youtube/v3` */
  readonly youtubeApi: string
  /** `https://www.youtube.com/feeds/videos.xml` */
  readonly youtubeFeed: string
}

export const addressesBelow = (url: string): ProviderAddresses => ({
  spotifyAuthorize: `${url}/spotify/accounts/authorize`,
  spotifyToken: `${url}/spotify/accounts/api/token`,
  spotifyApi: `${url}/spotify/api/v1`,
  googleAuthorize: `${url}/google/auth/o/oauth2/v2/auth`,
  googleToken: `${url}/google/oauth2/token`,
  googleRevoke: `${url}/google/oauth2/revoke`,
  youtubeApi: `${url}/google/api/youtube/v3`,
  youtubeFeed: `${url}/youtube/feeds/videos.xml`,
})

/**
 * Drives a running simulator over HTTP. It needs nothing but `fetch`, so it works in Node and inside workerd.
 * Every method rejects with `SimulatorError` when the simulator refuses.
 */
export class SimulatorClient {
  /** The simulator's base URL, without a slash at its end. */
  readonly url: string
  readonly addresses: ProviderAddresses

  constructor(url: string) {
    this.url = url.replace(/\/+$/, "")
    this.addresses = addressesBelow(this.url)
  }

  createPeople(people: ReadonlyArray<NewPerson>): Promise<ReadonlyArray<Person>> {
    return this.#send("createPeople", people)
  }

  /** Creates people and sources in bulk: thousands of either in one call. */
  seed(seed: Seed): Promise<ReadonlyArray<Person>> {
    return this.#send("seed", seed)
  }

  /** What a person is subscribed to now. */
  library(person: string): Promise<Person> {
    return this.#send("library", { person })
  }

  /** Returns its id: a Spotify show's, or a YouTube channel's `UC…`. */
  async createSource(source: NewSource): Promise<string> {
    const [id] = await this.createSources([source])
    if (id === undefined) throw new SimulatorError("the simulator returned no source")
    return id
  }

  createSources(sources: ReadonlyArray<NewSource>): Promise<ReadonlyArray<string>> {
    return this.#send("createSources", sources)
  }

  /** Puts the source in front of the person's library. Subscribing again changes nothing. */
  async subscribe(person: string, source: string): Promise<void> {
    await this.#send("subscribe", { person, source })
  }

  async unsubscribe(person: string, source: string): Promise<void> {
    await this.#send("unsubscribe", { person, source })
  }

  async rename(source: string, title: string): Promise<void> {
    await this.#send("rename", { source, title })
  }

  /**
   * The source is gone: 404 wherever it is asked for by name. It stays in the libraries (a show with
   * `total_episodes: 0`) until somebody unsubscribes, as it does with the providers.
   */
  async removeSource(source: string): Promise<void> {
    await this.#send("removeSource", { source })
  }

  /** Publishes in the order given: the last is the newest. A number publishes so many normal items. */
  publish(source: string, items: number | ReadonlyArray<NewItem>): Promise<ReadonlyArray<Item>> {
    return this.#send("publish", { source, items })
  }

  /** The answers are in the order of the requests. */
  publishMany(
    publications: ReadonlyArray<{ source: string; count: number }>,
  ): Promise<ReadonlyArray<ReadonlyArray<Item>>> {
    return this.#send("publishMany", publications)
  }

  /** Changes an item where it stands: upcoming to live to normal, private to normal, a new title. */
  changeItem(id: string, change: ItemChange): Promise<Item> {
    return this.#send("changeItem", { id, change })
  }

  /** The item leaves its source altogether, and the source's total with it. */
  async removeItem(id: string): Promise<void> {
    await this.#send("removeItem", { id })
  }

  /** All items of a source, newest first, `null` and private ones included. */
  items(source: string): Promise<ReadonlyArray<Item>> {
    return this.#send("items", { source })
  }

  /** Adds an application (to Google: a project), with quota and rate limit of its own. */
  async createClient(client: NewClient): Promise<void> {
    await this.#send("createClient", client)
  }

  /** Tokens as after a person's consent. Earlier grants stay valid, as they do with the providers. */
  async grant(person: string, provider: Provider, options: GrantOptions = {}): Promise<Grant> {
    const [grant] = await this.grants([{ ...options, person, provider }])
    if (grant === undefined) throw new SimulatorError("the simulator returned no grant")
    return grant
  }

  grants(requests: ReadonlyArray<GrantRequest>): Promise<ReadonlyArray<Grant>> {
    return this.#send("grants", requests)
  }

  /** The person takes the consent back: every token of theirs is dead. */
  async revoke(person: string, provider: Provider): Promise<void> {
    await this.#send("revoke", { person, provider })
  }

  /** Expires access tokens before their time; of everybody, unless told whose. Returns how many. */
  expireAccessTokens(person?: string, provider?: Provider): Promise<number> {
    return this.#send("expireAccessTokens", {
      ...(person === undefined ? {} : { person }),
      ...(provider === undefined ? {} : { provider }),
    })
  }

  tokenState(person: string, provider: Provider): Promise<TokenState> {
    return this.#send("tokenState", { person, provider })
  }

  /**
   * Adds rules, and returns their ids. The first rule that matches and fires decides; `slow` ones add up. A rule that
   * names a person hits nobody else.
   */
  setFaults(rules: ReadonlyArray<FaultRule>): Promise<ReadonlyArray<string>> {
    return this.#send("setFaults", rules)
  }

  /** One rule that strikes a part (0 to 1) of the requests, each time with one of several faults. Returns its id. */
  randomFaults(rate: number, options: RandomFaults = {}): Promise<string> {
    return this.#send("randomFaults", { ...options, rate })
  }

  /** Lifts these rules, or all of them. */
  async clearFaults(ids?: ReadonlyArray<string>): Promise<void> {
    await this.#send("clearFaults", ids === undefined ? {} : { ids })
  }

  /** Parks every matching request until it is released. Returns the gate's id. */
  hold(match: RequestMatch, options: HoldOptions = {}): Promise<string> {
    return this.#send("hold", { ...options, match })
  }

  /** Resolves once at least so many requests are parked at the gate, with their number. Has no timeout of its own. */
  waitForHeld(id: string, count: number): Promise<number> {
    return this.#send("waitForHeld", { id, count })
  }

  /** Opens the gate for good; with a count, lets so many through, first come first, and stays. Returns how many went. */
  release(id: string, count?: number): Promise<number> {
    return this.#send("release", count === undefined ? { id } : { id, count })
  }

  async setQuota(quota: Quota): Promise<void> {
    await this.#send("setQuota", quota)
  }

  /** Units left today (null: no limit), and when they are back: the next midnight in Los Angeles, epoch milliseconds. */
  quota(
    provider: Provider,
    clientId?: string,
  ): Promise<{ readonly remaining: number | null; readonly resetsAt: number }> {
    return this.#send("quota", clientId === undefined ? { provider } : { provider, clientId })
  }

  async setRateLimit(limit: RateLimit): Promise<void> {
    await this.#send("setRateLimit", limit)
  }

  /** Moves the simulator's clock on, for everybody: tokens expire, the quota's day ends. Returns its time now. */
  advanceClock(milliseconds: number): Promise<number> {
    return this.#send("advanceClock", { milliseconds })
  }

  /** Every request to a provider, in order of arrival. Control requests are not in it. */
  ledger(filter: LedgerFilter = {}): Promise<ReadonlyArray<LedgerEntry>> {
    return this.#send("ledger", filter)
  }

  counts(filter: LedgerFilter = {}): Promise<LedgerCounts> {
    return this.#send("counts", filter)
  }

  /** Forgets the requests so far, of everybody unless told whose. `seq` goes on. */
  async clearLedger(person?: string): Promise<void> {
    await this.#send("clearLedger", person === undefined ? {} : { person })
  }

  /**
   * The most requests of that person seen in flight at once since this was last asked; without a person, the most of
   * any one person.
   */
  maxConcurrent(filter: { readonly person?: string } = {}): Promise<number> {
    return this.#send("maxConcurrent", filter)
  }

  secrets(): Promise<Secrets> {
    return this.#send("secrets", {})
  }

  /** Back to an empty simulator as it was started; what is parked or hangs is cut. Not for a shared one. */
  async reset(): Promise<void> {
    await this.#send("reset", {})
  }

  async #send<Name extends CommandName>(name: Name, input: Commands[Name]["input"]): Promise<Commands[Name]["output"]> {
    const response = await fetch(`${this.url}/control/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    })
    const body: unknown = await response.json()
    if (!response.ok) throw new SimulatorError(refusalOf(body))
    return body as Commands[Name]["output"]
  }
}

const refusalOf = (body: unknown): string =>
  typeof body === "object" && body !== null && "error" in body && typeof body.error === "string"
    ? body.error
    : "the simulator refused the command"

import type { Provider, SimulatorOptions } from "../../model.ts"
import { IdTokens } from "../idTokens.ts"
import { Catalogue } from "./catalogue.ts"
import { Clients, defaultClient } from "./clients.ts"
import { Clock } from "./clock.ts"
import { Codes } from "./codes.ts"
import { Faults } from "./faults.ts"
import { Gates } from "./gates.ts"
import { GrantLifetimes } from "./grantLifetimes.ts"
import { Grants } from "./grants.ts"
import { Ledger } from "./ledger.ts"
import { Library } from "./library.ts"
import { LimitBook } from "./limitBook.ts"
import type { Limits } from "./limits.ts"
import { Pushes } from "./pushes.ts"
import { Random } from "./random.ts"

/** Everything the simulator knows. `reset` puts new parts in place of all but the secrets and the random numbers. */
export class World {
  readonly severalEndpoints: boolean
  readonly secrets: Array<string> = []
  readonly random: Random
  readonly clock = new Clock()
  readonly idTokens = new IdTokens()
  clients!: Record<Provider, Clients>
  catalogue!: Catalogue
  library!: Library
  lifetimes!: GrantLifetimes
  grants!: Grants
  codes!: Codes
  faults!: Faults
  gates!: Gates
  pushes!: Pushes
  ledger!: Ledger
  limits!: Record<Provider, LimitBook>
  /** People made by `seed` without an id of their own; never counts down. */
  seededPeople = 0
  private readonly options: SimulatorOptions

  constructor(options: SimulatorOptions) {
    this.options = options
    this.severalEndpoints = options.severalEndpoints ?? false
    this.random = new Random(options.seed ?? 1)
    this.build()
  }

  reset(): void {
    this.gates.releaseAll()
    this.clock.set(null)
    this.build()
  }

  /** Those that a client's requests count towards; of a request without a token, `simulator-client`'s. */
  limitsOf(provider: Provider, clientId: string | null): Limits {
    return this.limits[provider].of(this.clients[provider].developerOf(clientId ?? defaultClient.id))
  }

  private build(): void {
    const { clock, random, options } = this
    this.clients = {
      spotify: new Clients("spotify", options.clients?.spotify ?? []),
      youtube: new Clients("youtube", options.clients?.youtube ?? []),
    }
    this.catalogue = new Catalogue(clock, random)
    this.library = new Library(this.catalogue, clock)
    const rotation = {
      spotify: options.refreshTokenRotation?.spotify ?? "rotate",
      youtube: options.refreshTokenRotation?.youtube ?? "none",
    } as const
    this.lifetimes = new GrantLifetimes(clock, options.grantLifetimes ?? {})
    const accessLifetime = options.accessTokenLifetimeSeconds ?? 3600
    this.grants = new Grants(clock, random, this.secrets, accessLifetime, rotation, this.lifetimes)
    this.codes = new Codes(clock, random)
    this.faults = new Faults(clock, random)
    this.gates = new Gates()
    this.pushes = new Pushes()
    this.ledger = new Ledger()
    this.limits = { spotify: new LimitBook(clock), youtube: new LimitBook(clock) }
  }
}

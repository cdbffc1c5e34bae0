import type { NewClient, RefreshTokenRotation } from "../model.ts"

/** How a simulator behaves from its start; `reset` brings it back to this. */
export interface SimulatorOptions {
  /** TCP port on 127.0.0.1. Default 0: any free one. */
  readonly port?: number
  /** Ids, tokens and random faults follow from it. Default `pollen`. */
  readonly seed?: string | number
  /** Default 3600. Google says one second less, as it does. */
  readonly accessTokenLifetimeSeconds?: number
  /** Default: Spotify `rotate`, YouTube `none`. */
  readonly refreshTokenRotation?: { readonly spotify?: RefreshTokenRotation; readonly youtube?: RefreshTokenRotation }
  /** Applications. Default: `simulator-client` with `simulator-secret` at both providers. */
  readonly clients?: ReadonlyArray<NewClient>
  /** Grants that one person and application may have at once; older ones are pushed out. Default 100. */
  readonly grantsPerPerson?: number
  /** Units a day of every YouTube project; null for no limit. Default 10,000. */
  readonly quotaPerDay?: number | null
  /** Requests of every Spotify application per rolling 30 s; null for no limit, the default. */
  readonly spotifyRequestsPer30s?: number | null
  /** `GET /v1/shows?ids=` and `/v1/episodes?ids=`, which development mode lost in February 2026. Default false. */
  readonly severalShowsAndEpisodes?: boolean
  /** Added to every answer of a provider. Default 0. */
  readonly latencyMs?: number
  /** The ledger forgets its older half beyond so many entries. Default 2,000,000. */
  readonly ledgerLimit?: number
  /** Epoch milliseconds. Default: the real clock. */
  readonly now?: () => number
}

export interface Settings {
  readonly seed: string
  readonly accessTokenLifetimeSeconds: number
  readonly refreshTokenRotation: { readonly spotify: RefreshTokenRotation; readonly youtube: RefreshTokenRotation }
  readonly clients: ReadonlyArray<NewClient>
  readonly grantsPerPerson: number
  readonly quotaPerDay: number | null
  readonly spotifyRequestsPer30s: number | null
  readonly severalShowsAndEpisodes: boolean
  readonly latencyMs: number
  readonly ledgerLimit: number
  readonly now: () => number
}

const standardClients: ReadonlyArray<NewClient> = [
  { provider: "spotify", id: "simulator-client", secret: "simulator-secret" },
  { provider: "youtube", id: "simulator-client", secret: "simulator-secret" },
]

export const settingsFrom = (options: SimulatorOptions): Settings => ({
  seed: String(options.seed ?? "pollen"),
  accessTokenLifetimeSeconds: options.accessTokenLifetimeSeconds ?? 3600,
  refreshTokenRotation: {
    spotify: options.refreshTokenRotation?.spotify ?? "rotate",
    youtube: options.refreshTokenRotation?.youtube ?? "none",
  },
  clients: options.clients ?? standardClients,
  grantsPerPerson: options.grantsPerPerson ?? 100,
  quotaPerDay: options.quotaPerDay === undefined ? 10_000 : options.quotaPerDay,
  spotifyRequestsPer30s: options.spotifyRequestsPer30s ?? null,
  severalShowsAndEpisodes: options.severalShowsAndEpisodes ?? false,
  latencyMs: options.latencyMs ?? 0,
  ledgerLimit: options.ledgerLimit ?? 2_000_000,
  now: options.now ?? Date.now,
})

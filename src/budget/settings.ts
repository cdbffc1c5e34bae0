import { Config, Effect } from "effect"
import type { BudgetLimits } from "../domain/budget.ts"
import type { Misconfigured } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { checkBounds, oncePerIsolate, readSettings, wholeNumber } from "../domain/settings.ts"

/** Spotify counts over a rolling window of 30 s: https://developer.spotify.com/documentation/web-api/concepts/rate-limits */
const windowMs = 30_000

export interface BudgetSettings {
  /** How many objects share each budget: each has its part of the limits. */
  readonly shards: number
  /** What a provider lets one OAuth client do. */
  readonly limits: Readonly<Record<Provider, BudgetLimits>>
}

const variables = Config.all({
  spotifyRate: wholeNumber("SPOTIFY_RATE", 300),
  youtubeUnits: wholeNumber("YOUTUBE_DAILY_UNITS", 10_000),
  shards: wholeNumber("BUDGET_SHARDS", 1),
})

const most = 1_000_000_000

/** Reads what the application may ask of the providers. */
export const readBudgetSettings = oncePerIsolate(
  Effect.fnUntraced(function* (env: object): Effect.fn.Return<BudgetSettings, Misconfigured> {
    const { spotifyRate, youtubeUnits, shards } = yield* readSettings(variables, env)
    yield* checkBounds([
      { name: "SPOTIFY_RATE", value: spotifyRate, minimum: 0, maximum: most },
      { name: "YOUTUBE_DAILY_UNITS", value: youtubeUnits, minimum: 0, maximum: most },
      { name: "BUDGET_SHARDS", value: shards, minimum: 1, maximum: 1000 },
    ])
    return {
      shards,
      limits: {
        spotify: { rate: spotifyRate, windowMs, daily: 0 },
        youtube: { rate: 0, windowMs, daily: youtubeUnits },
      },
    }
  }),
)

/** A shard's part of the limits: at least one request, where there is a limit. */
export const shardOf = ({ rate, windowMs, daily }: BudgetLimits, shards: number): BudgetLimits => {
  const part = (all: number) => (all === 0 ? 0 : Math.max(1, Math.floor(all / shards)))
  return { rate: part(rate), windowMs, daily: part(daily) }
}

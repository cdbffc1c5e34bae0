import { Config, Redacted } from "effect"
import type { Provider } from "../domain/provider.ts"

const endpointsOf = (prefix: string, apiUrl: string, tokenUrl: string) =>
  Config.all({
    apiUrl: Config.String(`${prefix}_API_URL`).pipe(Config.withDefault(apiUrl)),
    tokenUrl: Config.String(`${prefix}_TOKEN_URL`).pipe(Config.withDefault(tokenUrl)),
    clientId: Config.String(`${prefix}_CLIENT_ID`).pipe(Config.withDefault("")),
    clientSecret: Config.Redacted(`${prefix}_CLIENT_SECRET`).pipe(Config.withDefault(Redacted.make(""))),
  })

/** Reads the providers' addresses and the application's registrations from a worker's variables and secrets. */
export const endpointsConfig = Config.all({
  spotify: endpointsOf("SPOTIFY", "https://api.spotify.com/v1", "https://accounts.spotify.com/api/token"),
  youtube: endpointsOf("YOUTUBE", "https://www.googleapis.com/youtube/v3", "https://oauth2.googleapis.com/token"),
})

/** Variables and secrets of the client registrations. Without those of a provider nothing of it can be refreshed. */
export interface EndpointVariables {
  readonly SPOTIFY_CLIENT_ID?: string
  readonly SPOTIFY_CLIENT_SECRET?: string
  readonly YOUTUBE_CLIENT_ID?: string
  readonly YOUTUBE_CLIENT_SECRET?: string
}

/** The settings of a provider's client registration that are missing. */
export const missingClientSettings = (provider: Provider, variables: EndpointVariables): ReadonlyArray<string> =>
  clientSettings[provider].filter((name) => (variables[name] ?? "") === "")

const clientSettings = {
  spotify: ["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"],
  youtube: ["YOUTUBE_CLIENT_ID", "YOUTUBE_CLIENT_SECRET"],
} as const satisfies Readonly<Record<Provider, ReadonlyArray<keyof EndpointVariables>>>

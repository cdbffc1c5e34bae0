import { Config, Option, Redacted } from "effect"
import type { Provider } from "../domain/provider.ts"
import type { ClientRegistration, ProviderEndpoints } from "./provider.ts"

/** The name of the client of `SPOTIFY_CLIENT_ID` and `YOUTUBE_CLIENT_ID`, and of grants that name none. */
export const defaultClient = "default"

/** Parses `name:value` pairs that are separated by commas. Values hold no comma. */
const pairsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(",")
      .map((pair) => pair.trim())
      .filter((pair) => pair !== "")
      .map((pair): [string, string] => {
        const [name = "", ...rest] = pair.split(":")
        return [name.trim(), rest.join(":").trim()]
      }),
  )

const registrationsOf = (ids: string, secrets: Redacted.Redacted<string>): ProviderEndpoints["clients"] => {
  const secretOf = pairsIn(Redacted.value(secrets))
  return new Map(
    [...pairsIn(ids)].map(([name, clientId]) => [
      name,
      { clientId, clientSecret: Redacted.make(secretOf.get(name) ?? "") },
    ]),
  )
}

const endpointsOf = (prefix: string, apiUrl: string, tokenUrl: string) =>
  Config.all({
    apiUrl: Config.String(`${prefix}_API_URL`).pipe(Config.withDefault(apiUrl)),
    tokenUrl: Config.String(`${prefix}_TOKEN_URL`).pipe(Config.withDefault(tokenUrl)),
    clientId: Config.String(`${prefix}_CLIENT_ID`).pipe(Config.withDefault("")),
    clientSecret: Config.Redacted(`${prefix}_CLIENT_SECRET`).pipe(Config.withDefault(Redacted.make(""))),
    clientIds: Config.String(`${prefix}_CLIENTS`).pipe(Config.withDefault("")),
    clientSecrets: Config.Redacted(`${prefix}_CLIENT_SECRETS`).pipe(Config.withDefault(Redacted.make(""))),
  }).pipe(
    Config.map(
      ({ clientIds, clientSecrets, ...rest }): ProviderEndpoints => ({
        ...rest,
        clients: registrationsOf(clientIds, clientSecrets),
      }),
    ),
  )

const realApis = { spotify: "https://api.spotify.com/v1", youtube: "https://www.googleapis.com/youtube/v3" }

/** Reads the providers' addresses and the application's registrations from a worker's variables and secrets. */
export const endpointsConfig = Config.all({
  spotify: endpointsOf("SPOTIFY", realApis.spotify, "https://accounts.spotify.com/api/token"),
  youtube: endpointsOf("YOUTUBE", realApis.youtube, "https://oauth2.googleapis.com/token"),
})

/** The application's own access to what is public at YouTube: an API key, the addresses of channels' feeds and of their WebSub hub, and ours. */
export const publicYoutubeConfig = Config.all({
  apiKey: Config.option(Config.Redacted("YOUTUBE_API_KEY")),
  feedUrl: Config.String("YOUTUBE_FEED_URL").pipe(Config.withDefault("https://www.youtube.com/feeds/videos.xml")),
  pushUrl: Config.String("WEBSUB_URL").pipe(Config.withDefault("https://pubsubhubbub.appspot.com/subscribe")),
  publicUrl: Config.String("PUBLIC_URL").pipe(
    Config.withDefault(""),
    Config.map((url) => url.replace(/\/+$/, "")),
  ),
})

/** Whether no provider is the real one. */
export const isSimulated = (endpoints: Readonly<Record<Provider, ProviderEndpoints>>): boolean =>
  endpoints.spotify.apiUrl !== realApis.spotify && endpoints.youtube.apiUrl !== realApis.youtube

/** Variables and secrets of the client registrations. Without those of a provider nothing of it can be refreshed. */
export interface EndpointVariables {
  readonly SPOTIFY_CLIENT_ID?: string
  readonly SPOTIFY_CLIENT_SECRET?: string
  readonly YOUTUBE_CLIENT_ID?: string
  readonly YOUTUBE_CLIENT_SECRET?: string
  /** Secret. An API key of the same project: with it, channels are checked once for all who follow them. */
  readonly YOUTUBE_API_KEY?: string
  /** Further clients: `name:id`, separated by commas; and their secrets, `name:secret`. */
  readonly SPOTIFY_CLIENTS?: string
  readonly SPOTIFY_CLIENT_SECRETS?: string
  readonly YOUTUBE_CLIENTS?: string
  readonly YOUTUBE_CLIENT_SECRETS?: string
}

/** Finds a client by the name that a grant has of it (`null`: the default one); `None` for one that the settings do not have whole. */
export const registrationOf = (
  { clientId, clientSecret, clients }: ProviderEndpoints,
  name: string | null,
): Option.Option<ClientRegistration> =>
  Option.filter(
    name === null || name === defaultClient
      ? Option.some({ clientId, clientSecret })
      : Option.fromUndefinedOr(clients.get(name)),
    (client) => client.clientId !== "" && Redacted.value(client.clientSecret) !== "",
  )

/** The names of the clients that the settings have whole, the default one first. */
export const clientNames = (endpoints: ProviderEndpoints): ReadonlyArray<string> =>
  [defaultClient, ...endpoints.clients.keys()].filter((name) => Option.isSome(registrationOf(endpoints, name)))

/** What an operator has to set for a client of a provider. */
export const settingsOf = (provider: Provider, name: string | null): string => {
  const prefix = provider.toUpperCase()
  return name === null || name === defaultClient
    ? `${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`
    : `"${name}" in ${prefix}_CLIENTS and ${prefix}_CLIENT_SECRETS`
}

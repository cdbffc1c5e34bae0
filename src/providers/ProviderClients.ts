import { Context, Effect, Layer } from "effect"
import type { Provider } from "../domain/provider.ts"
import { ProviderHttp } from "./ProviderHttp.ts"
import type { ProviderClient, ProviderEndpoints } from "./provider.ts"
import { spotifyClient } from "./spotify.ts"
import { youtubeClient } from "./youtube.ts"

/** The address of each provider's API. */
type ApiUrls = Readonly<Record<Provider, Pick<ProviderEndpoints, "apiUrl">>>

/** Makes the client of each provider, with the requests that `ProviderHttp` allows. */
export class ProviderClients extends Context.Service<ProviderClients, Readonly<Record<Provider, ProviderClient>>>()(
  "pollen/providers/ProviderClients",
) {
  static readonly layer = ({ spotify, youtube }: ApiUrls): Layer.Layer<ProviderClients, never, ProviderHttp> =>
    Layer.effect(
      ProviderClients,
      Effect.map(ProviderHttp, (http) => ({
        spotify: spotifyClient(spotify.apiUrl, http),
        youtube: youtubeClient(youtube.apiUrl, http),
      })),
    )
}

import { Array as Arr, Context, Effect, Layer, Option } from "effect"
import { hubOf } from "../../domain/hub.ts"
import type { Provider } from "../../domain/provider.ts"
import { call } from "../../rpc/call.ts"
import {
  FindListing,
  type HubNamespace,
  type SharedListing,
  ShareListing,
  Watch,
  watchedAtOnce,
} from "../../rpc/hub.ts"
import { Settings } from "../Settings.ts"

/** Hubs that are called at once: a Worker invocation has 6 connections. */
const callsAtOnce = 6

/** What a hub says of a source. */
interface Watched {
  readonly sourceId: string
  readonly isWatched: boolean
  readonly isNew: boolean
  readonly found: number
}

/** The hubs that look after public sources for all who follow them. */
export class Hubs extends Context.Service<
  Hubs,
  {
    /** Whether hubs look after a provider's sources: after channels, where an API key is set. */
    readonly isUsedFor: (provider: Provider) => boolean
    /** Asks the hubs of these sources to look after them. Never fails: a hub that does not answer says nothing of its sources. */
    readonly watch: (
      provider: Provider,
      sourceIds: ReadonlyArray<string>,
      options: { readonly isRequested: boolean },
    ) => Effect.Effect<ReadonlyArray<Watched>>
    /** Finds what somebody else's object has read of a source after a moment (epoch milliseconds), if there is anything. Never fails. */
    readonly findListing: (provider: Provider, sourceId: string, after: number) => Effect.Effect<SharedListing | null>
    /** Lets others have what has been read of a source. Never fails. */
    readonly shareListing: (provider: Provider, sourceId: string, listing: SharedListing) => Effect.Effect<void>
  }
>()("pollen/object/polling/Hubs") {
  static readonly layer = (namespace: HubNamespace | undefined) =>
    Layer.effect(
      Hubs,
      Effect.map(Settings, ({ publicYoutube, hubs }) => {
        // A new stub for every call: one that has thrown is broken for good.
        const hubAt = (name: string) => namespace?.get(namespace.idFromName(name))
        const unbound = () => Promise.reject(new Error("No hubs are bound"))
        const hubFor = (provider: Provider, sourceId: string) => hubAt(hubOf(provider, sourceId, hubs))
        const watchAt = (name: string) => call(Watch, (wire) => hubAt(name)?.watch(wire) ?? unbound())
        const silent = (error: { readonly message: string }) =>
          Effect.logWarning("A hub did not answer; the provider is asked", error.message)
        return {
          findListing: (provider, sourceId, after) =>
            namespace === undefined || provider !== "spotify"
              ? Effect.succeed(null)
              : call(
                  FindListing,
                  (wire) => hubFor(provider, sourceId)?.findListing(wire) ?? unbound(),
                )({
                  ...{ provider, sourceId, after },
                }).pipe(
                  Effect.map(({ listing }) => listing),
                  Effect.catch((error) => Effect.as(silent(error), null)),
                ),
          shareListing: (provider, sourceId, listing) =>
            namespace === undefined || provider !== "spotify"
              ? Effect.void
              : call(
                  ShareListing,
                  (wire) => hubFor(provider, sourceId)?.shareListing(wire) ?? unbound(),
                )({
                  ...{ provider, sourceId, listing },
                }).pipe(Effect.asVoid, Effect.catch(silent)),
          isUsedFor: (provider) =>
            provider === "youtube" && namespace !== undefined && Option.isSome(publicYoutube.apiKey),
          watch: (provider, sourceIds, { isRequested }) => {
            const calls = Object.entries(Arr.groupBy(sourceIds, (id) => hubOf(provider, id, hubs))).flatMap(
              ([name, ids]) => Arr.chunksOf(ids, watchedAtOnce).map((chunk) => ({ name, chunk })),
            )
            return Effect.forEach(
              calls,
              ({ name, chunk }) =>
                watchAt(name)({ provider, sourceIds: chunk, isRequested }).pipe(
                  Effect.map(({ sources }) => sources),
                  Effect.catch((error) =>
                    Effect.as(Effect.logWarning("A hub did not answer; it is asked again", error.message), []),
                  ),
                ),
              { concurrency: callsAtOnce },
            ).pipe(Effect.map((answers) => answers.flat()))
          },
        }
      }),
    )
}

import { Array as Arr, Context, Effect, Layer, Option } from "effect"
import { hubOf } from "../../domain/hub.ts"
import type { Provider } from "../../domain/provider.ts"
import { call } from "../../rpc/call.ts"
import { type HubNamespace, Watch, watchedAtOnce } from "../../rpc/hub.ts"
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
  }
>()("pollen/object/polling/Hubs") {
  static readonly layer = (namespace: HubNamespace | undefined) =>
    Layer.effect(
      Hubs,
      Effect.map(Settings, ({ publicYoutube, hubs }) => {
        const watchAt = (name: string) =>
          call(Watch, (wire) =>
            namespace === undefined
              ? Promise.reject(new Error("No hubs are bound"))
              : namespace.get(namespace.idFromName(name)).watch(wire),
          )
        return {
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

import { Context, Effect } from "effect"
import type { RateLimited } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"

/** What the application may still ask of providers. Without a budget, as much as one likes. */
export const Permits = Context.Reference<{
  /** Takes one request from the budget, right before it is made. */
  readonly take: (provider: Provider) => Effect.Effect<void, RateLimited>
  /** Tells everybody what a provider asked the whole application for. Never fails. */
  readonly tell: (limited: RateLimited) => Effect.Effect<void>
}>("pollen/providers/Permits", {
  defaultValue: () => ({ take: () => Effect.void, tell: () => Effect.void }),
})

/** The operator's name of the OAuth client with whose grant requests are made; `null` stands for the default one. */
export const ClientInUse = Context.Reference<string | null>("pollen/providers/ClientInUse", {
  defaultValue: () => null,
})

/** Whether somebody waits for the requests that are made. */
export const IsRequested = Context.Reference<boolean>("pollen/providers/IsRequested", { defaultValue: () => false })

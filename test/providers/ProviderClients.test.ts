import { env } from "cloudflare:workers"
import { Effect, Layer, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { type Provider, providers } from "../../src/domain/provider.ts"
import { ProviderClients } from "../../src/providers/ProviderClients.ts"
import { ProviderHttp } from "../../src/providers/ProviderHttp.ts"
import { SharedSimulatorClient } from "../simulator/sharedClient.ts"

const simulator = new SharedSimulatorClient(env.SIMULATOR_URL)
const { spotify, youtube } = simulator.endpoints
const layer = ProviderClients.layer({ spotify: { apiUrl: spotify.api }, youtube: { apiUrl: youtube.api } }).pipe(
  Layer.provide(ProviderHttp.layer(2000)),
)

/** A provider's client, with what it lists of a source. */
const listed = async (provider: Provider) => {
  const source = await simulator.createSource({ provider, items: 3 })
  const grant = await simulator.grant(`reader-${source}`, provider)
  return Effect.gen(function* () {
    const client = (yield* ProviderClients)[provider]
    const page = yield* client.items(Redacted.make(grant.accessToken), source, { key: null, etag: null })
    return { client, entries: page.isModified ? page.entries : [] }
  }).pipe(Effect.provide(layer), Effect.runPromise)
}

describe("The client of a provider", () => {
  it.each(providers)("tells the kind and the address of an item of %s as its listing does", async (provider) => {
    const { client, entries } = await listed(provider)
    expect(client.provider).toBe(provider)
    expect(entries).toHaveLength(3)
    for (const { itemId, kind, url } of entries) {
      expect({ kind, url }).toEqual({ kind: client.kind, url: client.itemUrl(itemId) })
    }
  })

  it("knows what each provider's items are, and where they are played", async () => {
    const clients = await Promise.all(providers.map(async (provider) => (await listed(provider)).client))
    expect(clients.map(({ kind, itemUrl }) => `${kind} ${itemUrl("id")}`)).toEqual([
      "episode https://open.spotify.com/episode/id",
      "video https://www.youtube.com/watch?v=id",
    ])
  })
})

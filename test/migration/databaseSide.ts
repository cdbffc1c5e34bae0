import { env, exports } from "cloudflare:workers"
import { Effect, Option, Redacted } from "effect"
import { spotifyLifetimeMs } from "../../src/domain/grantLife.ts"
import type { Provider } from "../../src/domain/provider.ts"
import { DatabaseGrants } from "../../src/move/DatabaseGrants.ts"
import { forever } from "../forever.ts"
import { simulator } from "../object/person.ts"

const client = { clientId: "simulator-client", clientSecret: Redacted.make("simulator-secret"), clients: new Map() }
const { spotify, youtube } = simulator.endpoints

const grants = DatabaseGrants.layer({
  database: env.DB,
  endpoints: {
    spotify: { apiUrl: spotify.api, tokenUrl: spotify.token, ...client },
    youtube: { apiUrl: youtube.api, tokenUrl: youtube.token, ...client },
  },
  grantLifetimes: { spotify: spotifyLifetimeMs, youtube: null },
  timeoutMs: forever,
  importTokens: (payload) => exports.MigrationEntrypoint.importTokens(payload),
})

/** A refresh by D1's side, as the central refresher makes it: where D1 does not hold the account, nothing happens. */
export const refreshInDatabase = (userId: string, provider: Provider) =>
  Effect.gen(function* () {
    const { find, refresh } = yield* DatabaseGrants
    const row = Option.getOrUndefined(yield* find({ userId, provider }))
    if (row?.holder !== "database") return
    yield* Effect.ignore(refresh({ userId, provider }, row.generation))
  }).pipe(Effect.provide(grants), Effect.runPromise)

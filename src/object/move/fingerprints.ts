import { Clock, Effect, Schema } from "effect"
import { accounts } from "../../../schema/object.ts"
import { fingerprint } from "../../domain/fingerprint.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import { AccountState } from "../../domain/token.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import type { GrantUse } from "../../rpc/move.ts"
import { GrantStore } from "../grants/GrantStore.ts"
import { Grants } from "../grants/Grants.ts"
import { Store } from "../Store.ts"

const decodeState = Schema.decodeUnknownSync(AccountState)

/** The result of using a grant, with the reason if it did not work. */
interface Tried {
  readonly use: typeof GrantUse.Type
  readonly reason: string | null
}
const tried = (use: Tried["use"], reason: string | null): Tried => ({ use, reason })

/** Uses an access token as it is for one cheap request. Never refreshes: only D1 may refresh a copy. */
const use = Effect.fnUntraced(function* (provider: Provider) {
  const grants = yield* Grants
  const store = yield* GrantStore
  const clients = yield* ProviderClients
  const { accessToken, expiresAt } = yield* grants.reveal(provider)
  if (expiresAt <= (yield* Clock.currentTimeMillis)) return tried("expired", null)
  return yield* store.checkApiLimit(provider).pipe(
    Effect.andThen(clients[provider].validate(accessToken)),
    Effect.as(tried("works", null)),
    Effect.catchTags({
      AccessTokenRejected: () => Effect.succeed(tried("refused", "the access token was rejected")),
      ScopeMissing: ({ reason }) => Effect.succeed(tried("refused", reason)),
      SourceMissing: () => Effect.succeed(tried("unknown", "the library is missing")),
      ProviderUnavailable: ({ message }) => Effect.succeed(tried("unknown", message)),
      RateLimited: (error) => Effect.map(store.limitApi(error), ({ message }) => tried("unknown", message)),
    }),
  )
})

/** The fingerprint, under the key of a comparison, of the grant that the object opens. */
export const fingerprintOf = Effect.fnUntraced(function* (provider: Provider, key: string) {
  const grants = yield* Grants
  return yield* fingerprint(key, yield* grants.reveal(provider))
})

interface FingerprintOptions {
  readonly key: string
  /** Whether each access token is used once. */
  readonly probe: boolean
}

/** Opens what the object keeps and tells its fingerprints under the caller's key, and, if asked, uses each access token once. */
export const fingerprintTokens = Effect.fn("fingerprintTokens")(function* ({ key, probe }: FingerprintOptions) {
  const { db } = yield* Store
  const { readToken } = yield* GrantStore
  const known = db.select().from(accounts).all()
  const told = yield* Effect.forEach(
    providers.filter((provider) => readToken(provider) !== undefined),
    Effect.fnUntraced(function* (provider) {
      const account = known.find((row) => row.provider === provider)
      const about = {
        provider,
        epoch: account?.epoch ?? 0,
        isHolder: account?.isHolder ?? false,
        state: decodeState(account?.state),
      }
      const untried = tried("not_tried", null)
      return yield* fingerprintOf(provider, key).pipe(
        Effect.bindTo("shown"),
        Effect.bind("trial", () => (probe && about.state === "connected" ? use(provider) : Effect.succeed(untried))),
        Effect.map(({ shown, trial }) => ({ ...about, ...trial, fingerprint: shown })),
        Effect.catchTags({
          SealBroken: ({ message }) => Effect.succeed({ ...about, ...untried, fingerprint: null, reason: message }),
          // Removed in between: there is nothing to tell of.
          AccountNotConnected: () => Effect.succeed(null),
        }),
      )
    }),
    { concurrency: "unbounded" },
  )
  return { accounts: told.filter((one) => one !== null) }
})

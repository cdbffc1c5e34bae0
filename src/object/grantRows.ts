import { eq, sql } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, tokens } from "../../schema/object.ts"
import { AccountNotConnected, RateLimited, ReauthorizationRequired } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { type ObjectDatabase, prepared } from "./store.ts"

export type TokenRow = typeof tokens.$inferSelect

const provider = sql.placeholder("provider")
const { state, reason, isHolder, heldUntil, holdReason } = accounts

const selectAccount = prepared((db) => db.select().from(accounts).where(eq(accounts.provider, provider)).prepare())
const selectToken = prepared((db) => db.select().from(tokens).where(eq(tokens.provider, provider)).prepare())
const selectGrant = prepared((db) =>
  db
    .select({ account: { state, reason, isHolder, heldUntil, holdReason }, token: tokens })
    .from(accounts)
    .leftJoin(tokens, eq(tokens.provider, accounts.provider))
    .where(eq(accounts.provider, provider))
    .prepare(),
)

/** The rows of accounts and sealed grants as they are, and whether a grant may be used now: asked before every request. */
export const grantRows = (db: ObjectDatabase) => {
  const readGrant = (provider: Provider) => selectGrant(db).get({ provider })
  type ReadGrant = ReturnType<typeof readGrant>

  const usableOf = (
    provider: Provider,
    grant: ReadGrant,
  ): Effect.Effect<TokenRow, AccountNotConnected | ReauthorizationRequired> => {
    if (grant === undefined || !grant.account.isHolder || grant.account.state === "disconnected") {
      return Effect.fail(new AccountNotConnected({ provider }))
    }
    if (grant.account.state === "reauthorization_required" || grant.token === null) {
      return Effect.fail(new ReauthorizationRequired({ provider, reason: grant.account.reason ?? "no token" }))
    }
    return Effect.succeed(grant.token)
  }

  const heldOf = Effect.fnUntraced(function* (provider: Provider, grant: ReadGrant) {
    const { heldUntil, holdReason } = grant?.account ?? { heldUntil: null, holdReason: null }
    if (heldUntil === null || heldUntil <= (yield* Clock.currentTimeMillis)) return
    const reason = holdReason === "quota_exceeded" ? "quota_exceeded" : "rate_limited"
    return yield* new RateLimited({ provider, reason, retryAt: heldUntil })
  })

  return {
    readAccount: (provider: Provider) => selectAccount(db).get({ provider }),
    readToken: (provider: Provider): TokenRow | undefined => selectToken(db).get({ provider }),
    /** The row of a grant that may be used, or why it may not. */
    usable: (provider: Provider) => Effect.suspend(() => usableOf(provider, readGrant(provider))),
    /** Fails while the provider wants not to be asked. */
    held: (provider: Provider) => Effect.suspend(() => heldOf(provider, readGrant(provider))),
    /** Both at once. */
    ready: Effect.fnUntraced(function* (provider: Provider) {
      const grant = readGrant(provider)
      yield* heldOf(provider, grant)
      return yield* usableOf(provider, grant)
    }),
  }
}

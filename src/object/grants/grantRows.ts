import { eq, sql } from "drizzle-orm"
import { Clock, Effect, Option, Schema } from "effect"
import { accounts, tokens } from "../../../schema/object.ts"
import { AccountNotConnected, RateLimited, ReauthorizationRequired } from "../../domain/error.ts"
import { PauseReason } from "../../domain/pause.ts"
import type { Provider } from "../../domain/provider.ts"
import { prepared, type Store } from "../Store.ts"
import { type GrantRow, selectGrant } from "./statements.ts"

const readReason = Schema.decodeUnknownOption(PauseReason)

export type TokenRow = typeof tokens.$inferSelect

/** What no new grant has behind it: failures, refusals, and refreshes that were cut off. */
export const withoutPast = {
  failures: 0,
  retryAt: null,
  refreshBegunAt: null,
  isRotated: null,
  refusals: 0,
  refusedRetryAt: null,
} as const

/** When the access token of a row was issued, or set at the latest, and when it expires. */
export const issuedOf = ({ expiresAt, keptAliveAt }: TokenRow) => ({ expiresAt, issuedAt: keptAliveAt })

const provider = sql.placeholder("provider")

const selectAccount = prepared((db) => db.select().from(accounts).where(eq(accounts.provider, provider)).prepare())
const selectToken = prepared((db) => db.select().from(tokens).where(eq(tokens.provider, provider)).prepare())

/** The rows of accounts and sealed grants as they are, and whether a grant may be used now: asked before every request. */
export const grantRows = ({ db, rows }: Store["Service"]) => {
  const readGrant = (provider: Provider) => {
    const [row] = rows<GrantRow>(selectGrant, provider)
    if (row === undefined) return undefined
    const { state, reason, isHolder, rateLimitedUntil, rateLimitReason } = row
    const account = { state, reason, isHolder: isHolder === 1, rateLimitedUntil, rateLimitReason }
    if (row.sealed === null) return { account, token: null }
    const { keyId, sealed, expiresAt, generation, keptAliveAt, failures, retryAt, refreshLimitedUntil } = row
    const { refreshBegunAt, isRotated, refusals, refusedRetryAt, authorizedAt, client, warnedDays } = row
    const token: TokenRow = {
      ...{ provider, keyId, sealed: new Uint8Array(sealed) },
      ...{ expiresAt, generation, keptAliveAt, failures, retryAt, refreshLimitedUntil },
      ...{ refreshBegunAt, isRotated: isRotated === null ? null : isRotated === 1, refusals, refusedRetryAt },
      ...{ authorizedAt, client, warnedDays },
    }
    return { account, token }
  }
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

  /** The row of a grant that was refused and is to be tried again. */
  const refusedOf = (
    provider: Provider,
    grant: ReadGrant,
  ): Effect.Effect<TokenRow, AccountNotConnected | ReauthorizationRequired> => {
    if (grant?.account.isHolder !== true || grant.account.state !== "reauthorization_required") {
      return Effect.fail(new AccountNotConnected({ provider }))
    }
    return grant.token === null || grant.token.refusedRetryAt === null
      ? Effect.fail(new ReauthorizationRequired({ provider, reason: grant.account.reason ?? "no token" }))
      : Effect.succeed(grant.token)
  }

  const apiLimitOf = Effect.fnUntraced(function* (provider: Provider, grant: ReadGrant) {
    const { rateLimitedUntil, rateLimitReason } = grant?.account ?? { rateLimitedUntil: null, rateLimitReason: null }
    if (rateLimitedUntil === null || rateLimitedUntil <= (yield* Clock.currentTimeMillis)) return
    const reason = Option.getOrElse(readReason(rateLimitReason), () => "rate_limited" as const)
    return yield* new RateLimited({ provider, reason, retryAt: rateLimitedUntil })
  })

  return {
    readAccount: (provider: Provider) => selectAccount(db).get({ provider }),
    readToken: (provider: Provider): TokenRow | undefined => selectToken(db).get({ provider }),
    /** The row of a grant that may be used, or why it may not. */
    usable: (provider: Provider) => Effect.suspend(() => usableOf(provider, readGrant(provider))),
    /** The row of a grant that was refused and is to be tried again, or why it is not. */
    refused: (provider: Provider) => Effect.suspend(() => refusedOf(provider, readGrant(provider))),
    /** Fails while a rate limit of the provider's API lasts. */
    checkApiLimit: (provider: Provider) => Effect.suspend(() => apiLimitOf(provider, readGrant(provider))),
    /** Both at once. */
    ready: Effect.fnUntraced(function* (provider: Provider) {
      const grant = readGrant(provider)
      yield* apiLimitOf(provider, grant)
      return yield* usableOf(provider, grant)
    }),
  }
}

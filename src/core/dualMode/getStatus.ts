import { Effect } from "effect"
import { type GrantLifetimes, grantLifetimes, reconnectBy } from "../../domain/grantLife.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import { readSettings } from "../../domain/settings.ts"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "../../move/account.ts"
import { readPerson } from "../../move/person.ts"
import type { AccountStatus } from "../../rpc/methods.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"

type Account = typeof AccountStatus.Type

/** An account as D1 knows it: the rest is the legacy poller's, which keeps no account of it. */
const inDatabase = (
  { provider, holder, epoch, state, authorizedAt, client, refreshRetryAt }: AccountRow,
  lifetimes: GrantLifetimes,
): Account => ({
  provider,
  holder,
  epoch,
  state,
  reason: state === "reauthorization_required" ? "the provider refused the grant" : null,
  connectedAt: null,
  expiresAt: null,
  authorizedAt,
  client,
  reconnectBy: reconnectBy(lifetimes[provider], authorizedAt),
  keyId: null,
  rateLimitedUntil: state === "connected" ? refreshRetryAt : null,
  rateLimitReason: state === "connected" && refreshRetryAt !== null ? "rate_limited" : null,
  failures: 0,
  retryAt: state === "connected" ? null : refreshRetryAt,
  sources: 0,
  failingSources: 0,
})

/**
 * The object's status, with the accounts that it does not hold as D1 has them. While D1 is down, a person whose object holds an
 * account is told of that.
 */
export const getStatus = Effect.fn("getStatus")(function* (env: CoreEnv, payload: { readonly userId: UserId }) {
  const status = yield* personInObject(env, payload.userId).getStatus(payload)
  const held = status.accounts.filter(({ holder }) => holder === "object")
  if (held.length === providers.length) return status
  const rows = yield* readPerson(env.DB, payload.userId).pipe(
    Effect.catch((error) => (held.length > 0 ? Effect.succeed([]) : Effect.fail(error))),
  )
  const lifetimes = yield* readSettings(grantLifetimes, env)
  const accountOf = (provider: Provider): Account | undefined => {
    const row = rows.find((one) => one.provider === provider)
    const known = status.accounts.find((one) => one.provider === provider)
    if (known?.holder === "object" || row === undefined) return known
    // In the gap of a hand-over back, the object knows of it first.
    return known !== undefined && known.epoch > row.epoch ? known : inDatabase(row, lifetimes)
  }
  return { ...status, accounts: providers.map(accountOf).filter((account) => account !== undefined) }
})

import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { LedgerEntry, Provider, TokenState } from "../simulator/model.ts"
import { Simulator } from "../stack/Simulator.ts"
import { type Person, providers } from "./people.ts"
import { Workers } from "./Workers.ts"
import type { Holding } from "./workers/operations.ts"

/** An account, and the refresh token that its provider would take from it now, as a digest; `null` where it takes none. */
export interface Expected {
  readonly userId: string
  readonly provider: Provider
  readonly refreshTokenDigest: string | null
}

const keyOf = ({ userId, provider }: { readonly userId: string; readonly provider: string }) => `${provider} ${userId}`

const digest = (token: string): string => createHash("sha256").update(token).digest("hex")

/**
 * The newest of the last consent. With single-use rotation each consent has one that works, and a person's last consent is the one
 * that pollen was given last.
 */
export const newestOf = ({ validRefreshTokens }: Pick<TokenState, "validRefreshTokens">): string | null => {
  const newest = validRefreshTokens.at(-1)
  return newest === undefined ? null : digest(newest)
}

/** Accounts of which pollen holds nothing, or anything but the refresh token that works and is the newest. */
export const lostGrants = (
  expected: ReadonlyArray<Expected>,
  holdings: ReadonlyArray<Holding>,
): ReadonlyArray<Expected> => {
  const held = new Map(holdings.map((holding) => [keyOf(holding), holding.refreshTokenDigest]))
  return expected.filter((account) => {
    const { refreshTokenDigest } = account
    return refreshTokenDigest === null || held.get(keyOf(account)) !== refreshTokenDigest
  })
}

/** Accounts of which a person would have to consent again: the object says so, or the provider has refused their grant once. */
export const countReauthorizations = (
  holdings: ReadonlyArray<Holding>,
  tokenRequests: ReadonlyArray<LedgerEntry>,
): number =>
  new Set([
    ...holdings.filter(({ state }) => state === "reauthorization_required").map(keyOf),
    ...tokenRequests
      .filter(({ status, fault }) => status === 400 && fault === undefined)
      .map(({ person, provider }) => keyOf({ userId: person ?? "", provider: provider ?? "" })),
  ]).size

/** Refresh tokens that were presented after they had been exchanged for newer ones. */
export const countDoubleRefreshes = (tokenRequests: ReadonlyArray<LedgerEntry>): number =>
  tokenRequests.filter(({ refreshTokenReused }) => refreshTokenReused === true).length

const expectedOf = Effect.fnUntraced(function* (accounts: ReadonlyArray<Omit<Expected, "refreshTokenDigest">>) {
  const { ask } = yield* Simulator
  return yield* Effect.forEach(
    accounts,
    ({ userId, provider }) =>
      Effect.map(
        ask((client) => client.tokenState(userId, provider)),
        (state): Expected => ({ userId, provider, refreshTokenDigest: newestOf(state) }),
      ),
    { concurrency: 20 },
  )
})

const holdingsOf = Effect.fnUntraced(function* (people: ReadonlyArray<string>) {
  const { observe } = yield* Workers
  return yield* observe("holdings", people)
})

/**
 * Compares what the objects hold with what the providers would take, account by account. Objects go on refreshing meanwhile: who
 * differs is looked at once more, and both looks together.
 */
export const judgeGrants = Effect.fn("judgeGrants")(function* (people: ReadonlyArray<Person>) {
  const { ask } = yield* Simulator
  const accounts = people.flatMap(({ id }) => providers.map((provider) => ({ userId: id, provider })))
  const holdings = yield* holdingsOf(people.map(({ id }) => id))
  const doubtful = lostGrants(yield* expectedOf(accounts), holdings)
  const lost = yield* Effect.filter(
    doubtful,
    Effect.fnUntraced(function* (account) {
      const held = yield* holdingsOf([account.userId])
      return lostGrants(yield* expectedOf([account]), held).length > 0
    }),
  )
  const tokenRequests = yield* ask((client) => client.ledger({ kind: "token" }))
  return {
    tokensLost: lost.length,
    doubleRefreshes: countDoubleRefreshes(tokenRequests),
    reauthorizations: countReauthorizations(holdings, tokenRequests),
    refreshes: tokenRequests.filter(({ status }) => status === 200).length,
  }
})

import { Clock, Effect, Option, Result } from "effect"
import { type Provider, providers } from "../../domain/provider.ts"
import type { HandedSource } from "../../rpc/move.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { FeedSources } from "../FeedSources.ts"
import { type AccountRow, isDisconnected, providerOf, toCarry } from "../person/accounts.ts"
import { leasedBy } from "../person/lease.ts"
import { PageSettings } from "../person/PageSettings.ts"
import { forEachPerson, latest, type Outcomes, type PersonInMove } from "../person/PersonInMove.ts"
import { failed, Overtaken, toStepFailed } from "../person/reason.ts"

/** Sources whose feeds are held in memory at once, with 50 known items each. */
const sourcesAtOnce = 2000

const countSources = `SELECT user_id AS userId, count(*) AS sources FROM json_each(?1) wanted
  JOIN user_subscriptions ON user_subscriptions.user_id = wanted.value GROUP BY user_id`

/** Divides people into parts of at most {@link sourcesAtOnce} sources: one part, unless they follow very many. */
const inParts = Effect.fn("inParts")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const rows = yield* database.rows(
    "count sources",
    statement(countSources, JSON.stringify(peopleInMove.map(({ userId }) => userId))),
  )
  const counts = new Map(rows.map(({ userId, sources }) => [String(userId), Number(sources)]))
  const parts: Array<Array<PersonInMove>> = []
  let held = Number.POSITIVE_INFINITY
  for (const person of peopleInMove) {
    const sources = counts.get(person.userId) ?? 0
    if (held + sources > sourcesAtOnce) {
      parts.push([])
      held = 0
    }
    parts.at(-1)?.push(person)
    held += sources
  }
  return parts
})

const accountOf = (accounts: ReadonlyArray<AccountRow>, provider: Provider) =>
  accounts.find((account) => Option.contains(providerOf(account), provider))

/** Imports again grants that D1 gave away and of which the object has no copy: D1's rows still have them. */
const importAgain = Effect.fnUntraced(function* (
  { userId, accounts, lease }: PersonInMove,
  missing: ReadonlyArray<Provider>,
) {
  const core = yield* Core
  const grants = missing.flatMap((provider) => {
    const account = accountOf(accounts, provider)
    const carried = account === undefined ? null : Result.getOrElse(toCarry(account), () => null)
    return carried === null ? [] : [carried]
  })
  if (grants.length < missing.length)
    return yield* failed("not_held_by_object", `nothing to hold: ${missing.join(", ")}`)
  yield* Effect.mapError(core.importTokens({ userId, lease, accounts: grants }), toStepFailed)
})

const takeOverOne = Effect.fn("takeOverOne")(function* (person: PersonInMove, sources: ReadonlyArray<HandedSource>) {
  const core = yield* Core
  const { userId, accounts, lease } = person
  const given = providers.flatMap((provider) => {
    const account = accountOf(accounts, provider)
    return account?.holder === "object" ? [{ provider, epoch: account.epoch, account }] : []
  })
  if (given.length === 0) return { durableObjectId: null, superseded: [] }
  const take = core
    .takeOver({
      userId,
      lease,
      accounts: given.map(({ provider, epoch, account: { refusals, refreshRetryAt: retryAt } }) => {
        return { provider, epoch, past: { refusals, retryAt } }
      }),
      sources,
      isMirrored: true,
    })
    .pipe(Effect.mapError(toStepFailed))
  const hasGrant = (provider: Provider) => {
    const account = given.find((one) => one.provider === provider)?.account
    return account !== undefined && !isDisconnected(account)
  }
  const missingOf = (taken: Effect.Success<typeof take>) =>
    taken.accounts.filter(({ provider, outcome }) => outcome === "no_copy" && hasGrant(provider))
  let taken = yield* take
  if (missingOf(taken).length > 0) {
    yield* importAgain(
      person,
      missingOf(taken).map(({ provider }) => provider),
    )
    taken = yield* take
  }
  if (missingOf(taken).length > 0) return yield* failed("not_held_by_object", "the object has no copy of it")
  const superseded = taken.accounts.flatMap(({ provider, outcome }) => (outcome === "superseded" ? [provider] : []))
  // A token that the person set in between went to the object alone; D1's mirror needs it too.
  if (taken.accounts.some(({ outcome }) => outcome === "already_held")) {
    yield* Effect.mapError(core.setMirror({ userId, lease, isMirrored: true }), toStepFailed)
  }
  return { durableObjectId: taken.durableObjectId, superseded }
})

// A hand-over back that was given up half-way: the object gave up as of the epoch after D1's, which D1 has not reached.
const raise = `UPDATE user_accounts SET epoch = user_accounts.epoch + 1, updated_at = ?2 FROM json_each(?1) raised
  WHERE user_id = raised.value->>'userId' AND provider = raised.value->>'provider' AND holder = 'object'
    AND user_accounts.epoch = raised.value->>'epoch' AND ${leasedBy(3)} RETURNING user_id AS userId, provider`

interface Superseded {
  readonly person: PersonInMove
  readonly providers: ReadonlyArray<Provider>
}

/** Raises D1's rows to the epoch at which the objects gave up, so that they can take over again. */
const raiseEpochs = Effect.fn("raiseEpochs")(function* (superseded: ReadonlyArray<Superseded>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const now = yield* Clock.currentTimeMillis
  const rows = superseded.flatMap(({ person: { userId, accounts }, providers: names }) =>
    names.map((provider) => ({ userId, provider, epoch: accountOf(accounts, provider)?.epoch ?? 0 })),
  )
  const raised = yield* database.rows("raise", statement(raise, JSON.stringify(rows), now, lease))
  const keys = new Set(raised.map(({ userId, provider }) => `${provider} ${userId}`))
  return superseded.map(
    ({ person: { accounts, ...person } }): PersonInMove => ({
      ...person,
      accounts: accounts.map((account) =>
        keys.has(`${account.provider} ${person.userId}`) ? { ...account, epoch: account.epoch + 1 } : account,
      ),
    }),
  )
})

/**
 * The last part of the hand-over forward: the objects become the holders of the grants that D1 gave away, and continue polling where the
 * legacy poller stopped. `peopleInMove` have their rows as they are after the switch.
 */
export const handOver = Effect.fn("handOver")(function* (peopleInMove: ReadonlyArray<PersonInMove>) {
  const feedSources = yield* FeedSources
  const rounds: Array<Outcomes<{ readonly durableObjectId: string | null }>> = []
  for (const part of peopleInMove.length === 0 ? [] : yield* inParts(peopleInMove)) {
    const sources = yield* feedSources.of(part.map(({ userId }) => userId))
    const take = (person: PersonInMove) => takeOverOne(person, sources.get(person.userId) ?? [])
    const taken = yield* forEachPerson(part, take)
    rounds.push(taken)
    const superseded = part.flatMap((person) => {
      const outcome = taken.get(person.userId)
      const names = outcome !== undefined && Result.isSuccess(outcome) ? outcome.success.superseded : []
      return names.length === 0 ? [] : [{ person, providers: names }]
    })
    if (superseded.length === 0) continue
    const raised = yield* raiseEpochs(superseded)
    const again = yield* forEachPerson(raised, (person) =>
      Effect.flatMap(take(person), (one) => (one.superseded.length > 0 ? new Overtaken() : Effect.succeed(one))),
    )
    rounds.push(again)
  }
  return latest(...rounds)
})

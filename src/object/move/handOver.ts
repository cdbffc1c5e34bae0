import { eq } from "drizzle-orm"
import { Clock, Effect, Random, Schema } from "effect"
import { accounts, outbox, person } from "../../../schema/object.ts"
import { DatabaseUnavailable, type LeaseLost } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { GrantPast } from "../../domain/refusal.ts"
import { AccountState } from "../../domain/token.ts"
import type { HandedSource } from "../../rpc/move.ts"
import { Outbox } from "../delivery/Outbox.ts"
import { eachThatOpens } from "../grants/eachThatOpens.ts"
import { GrantStore } from "../grants/GrantStore.ts"
import { Grants } from "../grants/Grants.ts"
import { Refresher } from "../grants/Refresher.ts"
import { TokenEvents } from "../grants/TokenEvents.ts"
import { ensurePerson, heldProviders, rearm } from "../person.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import { underLease } from "./lease.ts"
import { adoptPast, pastOf } from "./past.ts"
import { adoptSources } from "./sourceHandoff.ts"

// The right to refresh an account comes to this object, or goes. docs/move.md tells the whole order.

const decodeState = Schema.decodeUnknownSync(AccountState)
const readState = (state: string | undefined): AccountState => decodeState(state ?? "disconnected")

interface AccountEpoch {
  readonly provider: Provider
  readonly epoch: number
}

/** An account as it comes, and how the token endpoint has answered D1's side of late. */
interface TakenAccount extends AccountEpoch {
  readonly past?: typeof GrantPast.Type
}

interface TakeOverOptions {
  readonly sources: ReadonlyArray<HandedSource>
  readonly isMirrored: boolean
  readonly lease: number | undefined
}

const takeAccount = Effect.fnUntraced(function* (
  { provider, epoch, past }: TakenAccount,
  { sources, isMirrored, lease }: TakeOverOptions,
) {
  const store = yield* Store
  const { db } = store
  const settings = yield* Settings
  const grants = yield* GrantStore
  const now = yield* Clock.currentTimeMillis
  // Thousands may be taken over in a minute: their first polls are spread, as polls always are.
  const firstPollAt = now + Math.round((yield* Random.next) * settings.bounds.minimumMs)
  const outcome = yield* underLease("takeOver", lease, () => {
    const known = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
    if (known?.isHolder) return "already_held" as const
    if (known !== undefined && known.epoch > epoch) return "superseded" as const
    // Of an account that the person has to connect again there may be no token, and nothing is done before they do.
    const isNothing = known?.state !== "reauthorization_required" && grants.readToken(provider) === undefined
    if (known === undefined || isNothing) return "no_copy" as const
    db.update(accounts)
      .set({
        isHolder: true,
        epoch,
        copiedGeneration: null,
        libraryReadAt: null,
        passStartedAt: null,
        failures: 0,
        retryAt: firstPollAt,
      })
      .where(eq(accounts.provider, provider))
      .run()
    if (past !== undefined) adoptPast(store, provider, readState(known.state), past)
    adoptSources(db, settings, provider, sources, now)
    db.update(person).set({ isMirrored }).run()
    grants.changed(provider, "taken_over", now, `epoch ${epoch}`)
    return "held" as const
  })
  return { provider, outcome }
})

/** Makes the object the holder of accounts of which it keeps a copy; it goes on polling where the legacy poller stopped. */
export const takeOver = Effect.fn("takeOver")(function* (
  wanted: ReadonlyArray<TakenAccount>,
  options: TakeOverOptions,
) {
  const store = yield* Store
  yield* ensurePerson("takeOver", wanted)
  const taken = yield* Effect.forEach(wanted, (account) => takeAccount(account, options))
  yield* store.durable
  yield* rearm
  return { durableObjectId: store.durableObjectId, accounts: taken }
})

/** Answers with what the object has of an account that it has given up, or never held, or keeps because its grant does not open. */
const whatIsLeft = Effect.fnUntraced(function* ({ provider, epoch }: AccountEpoch, isBroken: boolean) {
  const { db } = yield* Store
  const grants = yield* Grants
  const { readToken } = yield* GrantStore
  const account = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
  const nothing = { provider, epoch: account?.epoch ?? 0, state: readState(account?.state), tokens: null }
  if (account === undefined || account.epoch > epoch || (account.isHolder && !isBroken)) {
    return { ...nothing, outcome: "superseded" as const }
  }
  if (isBroken) return { ...nothing, outcome: "broken" as const }
  if (account.state === "disconnected") return { ...nothing, outcome: "handed_back" as const }
  // A copy came from D1, which has it still or something newer.
  const isCopy = account.copiedGeneration !== null
  if (isCopy) return { ...nothing, outcome: "nothing_newer" as const }
  const tokens = yield* grants.reveal(provider).pipe(
    Effect.catchTags({
      AccountNotConnected: () => Effect.succeed(null),
      // Given up before, and does not open any more: it keeps nothing back that has been given up since.
      SealBroken: () => Effect.succeed("broken" as const),
    }),
  )
  if (tokens === "broken") return { ...nothing, outcome: tokens }
  const row = readToken(provider)
  if (tokens === null || row === undefined) return { ...nothing, outcome: "nothing_newer" as const }
  return { ...nothing, tokens, past: pastOf(row, nothing.state), outcome: "handed_back" as const }
})

/** Gives one account up once no refresh of it is under way. Records also one that the object does not know, for calls that come late. */
const giveUp = Effect.fnUntraced(function* ({ provider, epoch }: AccountEpoch, lease: number | undefined) {
  const { db } = yield* Store
  const refresher = yield* Refresher
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const attempt = underLease("handBack", lease, () => {
    const known = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
    if (known !== undefined && (known.epoch > epoch || (known.isHolder && known.epoch === epoch))) return true
    // Asked in the same transaction that gives up: none may begin in between.
    if (known?.isHolder && refresher.isUnderway(provider)) return false
    const givenUp = { isHolder: false, epoch, passStartedAt: null }
    db.insert(accounts)
      .values({ provider, state: "connected", connectedAt: now, ...givenUp })
      .onConflictDoUpdate({ target: accounts.provider, set: givenUp })
      .run()
    if (known?.isHolder) {
      db.insert(outbox)
        .values({ kind: "cursors", body: JSON.stringify({ provider }) })
        .run()
      db.update(person).set({ isHeartbeatDue: true }).run()
      events.record(provider, "handed_back", now, `epoch ${epoch}`)
    }
    return true
  })
  const untilGivenUp: Effect.Effect<void, LeaseLost, Store> = Effect.flatMap(attempt, (isDone) =>
    isDone ? Effect.void : Effect.andThen(refresher.awaitUnderway(provider), untilGivenUp),
  )
  yield* untilGivenUp
})

/** Gives up those accounts whose grants open, and answers with what they are now. Fails with nothing given up when none of them opens. */
export const handBack = Effect.fn("handBack")(function* (
  wanted: ReadonlyArray<AccountEpoch>,
  lease: number | undefined,
) {
  const store = yield* Store
  const { db } = store
  const grants = yield* Grants
  const { deliver } = yield* Outbox
  if (wanted.length > 0) yield* ensurePerson("handBack", wanted)
  const held = yield* heldProviders
  const toGiveUp = wanted.filter(({ provider }) => held.includes(provider))
  const { broken } = yield* eachThatOpens(
    toGiveUp.map(({ provider }) => provider),
    (provider) =>
      grants.reveal(provider).pipe(
        Effect.catchTag("AccountNotConnected", () => Effect.void),
        Effect.as([provider]),
      ),
  )
  const kept = new Set(broken.map(({ provider }) => provider))
  yield* Effect.forEach(
    wanted.filter(({ provider }) => !kept.has(provider)),
    (account) => giveUp(account, lease),
  )
  yield* store.durable
  yield* deliver
  yield* rearm
  // Rows leave in their order: with this one, everything that was written before the account was given up has gone.
  const left = db.select({ id: outbox.id }).from(outbox).where(eq(outbox.kind, "cursors")).all()
  if (left.length > 0) {
    return yield* new DatabaseUnavailable({
      operation: "handBack",
      reason: "D1 did not take what the object had for it",
    })
  }
  return { accounts: yield* Effect.forEach(wanted, (account) => whatIsLeft(account, kept.has(account.provider))) }
})

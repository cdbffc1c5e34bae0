import { eq } from "drizzle-orm"
import { Clock, Effect, Option } from "effect"
import { accounts, tokens as tokenRows } from "../../schema/object.ts"
import { Budget } from "../budget/Budget.ts"
import { AccountNotConnected } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { AccountState, GivenTokens } from "../domain/token.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import type { HandedSource } from "../rpc/move.ts"
import { Outbox } from "./delivery/Outbox.ts"
import { keepRefreshToken, tryInPlace } from "./grants/acceptGiven.ts"
import { counted } from "./grants/counters.ts"
import { eachThatOpens } from "./grants/eachThatOpens.ts"
import { GrantStore } from "./grants/GrantStore.ts"
import { Grants } from "./grants/Grants.ts"
import type { GrantError } from "./grants/Refresher.ts"
import { TokenEvents } from "./grants/TokenEvents.ts"
import { heldElsewhere } from "./move/access.ts"
import { adoptSources } from "./move/sourceHandoff.ts"
import { copiedProviders, ensurePerson, heldProviders, isHeld, rearm } from "./person.ts"
import { heldByDatabase, Poller, type ProgressListener } from "./polling/Poller.ts"
import { tooSoon } from "./polling/tooSoon.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"
import { arm, armFor, dueList, earliestDue } from "./schedule.ts"

// The methods of the object, each as one program. What its alarm does is in `alarm.ts`.

interface SetOptions {
  readonly asOf?: { readonly epoch: number; readonly sources: ReadonlyArray<HandedSource> }
  /** Whether the grant is tried before it takes the place of one that works: true unless said. */
  readonly isProbed?: boolean
}

export const setToken = Effect.fnUntraced(function* (
  provider: Provider,
  given: GivenTokens,
  { asOf, isProbed = true }: SetOptions,
) {
  const { db } = yield* Store
  const settings = yield* Settings
  const grants = yield* Grants
  const { readToken } = yield* GrantStore
  if (asOf !== undefined) yield* ensurePerson("setToken", [{ provider, beginsAt: asOf.epoch }])
  const isForeign = asOf === undefined && !(yield* isHeld(provider))
  // Leaves no trace: the objects of most people who have not moved are empty.
  if (isForeign) return yield* yield* heldElsewhere(provider)
  const { refreshToken } = given
  if (refreshToken === undefined) {
    const generation = yield* counted("write", keepRefreshToken(provider, given))
    yield* rearm
    return { state: "connected" as const, generation }
  }
  const tokens = { ...given, refreshToken }
  const account = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
  const isWorking = account?.state === "connected" && readToken(provider) !== undefined
  const keepsReplaced = isProbed && isWorking && (yield* tryInPlace(provider, tokens))
  const set = grants.set(provider, tokens, {
    keepsReplaced,
    ...(asOf && {
      asOf: {
        epoch: asOf.epoch,
        alongside: (now: number) => adoptSources(db, settings, provider, asOf.sources, now),
      },
    }),
  })
  const refused = heldElsewhere(provider)
  const generation = yield* counted(
    "write",
    Effect.flatMap(set, Option.match({ onNone: () => Effect.flatMap(refused, Effect.fail), onSome: Effect.succeed })),
  )
  yield* rearm
  return { state: "connected" as const, generation }
})

export const removeToken = Effect.fnUntraced(function* (provider: Provider, epoch: number | undefined) {
  const grants = yield* Grants
  if (epoch !== undefined) yield* ensurePerson("removeToken", [{ provider }])
  const removed = yield* grants.remove(provider, epoch)
  if (Option.isNone(removed)) return yield* yield* heldElsewhere(provider)
  yield* rearm
  return { removed: removed.value }
})

export const validateTokens = Effect.fnUntraced(function* () {
  const grants = yield* Grants
  const clients = yield* ProviderClients
  const checked = yield* Effect.forEach(
    yield* heldProviders,
    (provider) =>
      grants
        .withToken(provider, (token) => clients[provider].validate(token))
        .pipe(
          Effect.as({ provider, isValid: true, reason: null }),
          Effect.catchTag("ScopeMissing", ({ reason }) =>
            Effect.as(grants.requireReauthorization(provider, reason), { provider, isValid: false, reason }),
          ),
          Effect.catch((error) => {
            const reason = "message" in error && error.message !== "" ? error.message : error._tag
            return Effect.succeed({ provider, isValid: false, reason })
          }),
        ),
    { concurrency: "unbounded" },
  )
  yield* rearm
  return { accounts: checked }
})

const refreshOutcome = (provider: Provider, error: GrantError) => ({
  provider,
  outcome: error._tag === "ReauthorizationRequired" ? ("reauthorization_required" as const) : ("failed" as const),
  expiresAt: null,
  reason: error.message,
})

interface RefreshOptions {
  /** One provider, or all. */
  readonly provider?: Provider
  /** Whether a token is refreshed that does not expire soon. */
  readonly force?: boolean
}

export const refreshTokens = Effect.fnUntraced(function* ({ provider: wanted, force = false }: RefreshOptions) {
  const grants = yield* Grants
  const store = yield* Store
  const known = yield* heldProviders
  if (wanted !== undefined && !known.includes(wanted)) return yield* new AccountNotConnected({ provider: wanted })
  const refreshed = yield* Effect.forEach(
    wanted === undefined ? known : [wanted],
    Effect.fnUntraced(function* (provider) {
      const before = store.db.select().from(tokenRows).where(eq(tokenRows.provider, provider)).get()
      return yield* (force ? grants.refresh(provider) : grants.accessToken(provider)).pipe(
        Effect.map(({ expiresAt, generation }) => ({
          provider,
          outcome: generation === before?.generation ? ("still_valid" as const) : ("refreshed" as const),
          expiresAt,
          reason: null,
        })),
        Effect.catch((error) => Effect.succeed(refreshOutcome(provider, error))),
      )
    }),
    { concurrency: "unbounded" },
  )
  yield* rearm
  return { accounts: refreshed }
})

/**
 * How long after its start an alarm goes on with a pass that a caller started, in milliseconds, in case the object dies in the middle.
 * The alarm's own passes need none, since the platform repeats an alarm that was cut off.
 */
const passGuardMs = 60_000

const giveBack = Effect.flatMap(Budget, ({ giveBack }) => giveBack)

/** Polls the accounts, delivers what they brought, and sets the alarm again, whatever happened in between. */
export const pollAll = Effect.fnUntraced(
  function* (wanted: ReadonlyArray<Provider>, trigger: "alarm" | "request", listener?: ProgressListener) {
    const poller = yield* Poller
    const outbox = yield* Outbox
    if (trigger === "request" && wanted.length > 0) yield* armFor(passGuardMs)
    const passes = yield* Effect.forEach(wanted, (provider) => Effect.exit(poller.poll(provider, trigger, listener)), {
      concurrency: "unbounded",
    })
    // Whatever broke, what the passes found until then goes to D1.
    const { delivered, undelivered } = yield* outbox.deliver
    return { accounts: yield* Effect.all(passes), delivered: delivered + poller.takeDelivered(), undelivered }
  },
  Effect.ensuring(Effect.andThen(rearm, giveBack)),
)

export const pollNow = Effect.fnUntraced(function* (listener: ProgressListener | undefined) {
  const { isUnderway } = yield* Poller
  const copied = yield* copiedProviders
  // Who joins a pass under way costs the provider nothing.
  const asked = yield* Effect.forEach(yield* heldProviders, (provider) =>
    Effect.map(isUnderway(provider) ? Effect.succeed(null) : tooSoon(provider), (refused) => ({ provider, refused })),
  )
  const wanted = asked.filter(({ refused }) => refused === null).map(({ provider }) => provider)
  const polled = yield* pollAll(wanted, "request", listener)
  const held = asked.map(
    ({ provider, refused }) => refused ?? polled.accounts.find((account) => account.provider === provider),
  )
  return { ...polled, accounts: [...held.filter((account) => account !== undefined), ...copied.map(heldByDatabase)] }
})

export const wake = Effect.fnUntraced(function* () {
  const store = yield* Store
  const settings = yield* Settings
  const outbox = yield* Outbox
  const now = yield* Clock.currentTimeMillis
  const due = earliestDue(dueList(store, settings, now))
  yield* arm()
  // A heartbeat, since cron wakes the objects that it has not heard from.
  yield* outbox.deliverWithHeartbeat
  // Delivered rows are no longer due.
  const alarmAt = yield* arm()
  return { alarmAt, overdueMs: due === null || due === 0 ? 0 : Math.max(0, now - due) }
})

export const exportTokens = Effect.fnUntraced(function* () {
  const { db } = yield* Store
  const grants = yield* Grants
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const isConnected = (provider: Provider) =>
    db.select().from(accounts).where(eq(accounts.provider, provider)).get()?.state === "connected"
  const reveal = Effect.fnUntraced(
    function* (provider: Provider) {
      const tokens = yield* grants.reveal(provider)
      events.record(provider, "exported", now)
      const state: AccountState = isConnected(provider) ? "connected" : "reauthorization_required"
      return [{ provider, state, tokens }]
    },
    Effect.catchTag("AccountNotConnected", () => Effect.succeed([])),
  )
  const { opened, broken } = yield* eachThatOpens(yield* heldProviders, reveal)
  yield* events.publish
  return { accounts: opened, broken: broken.map(({ provider, message }) => ({ provider, reason: message })) }
})

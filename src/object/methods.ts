import { eq } from "drizzle-orm"
import { Clock, Effect, Option } from "effect"
import { accounts, tokens as tokenRows } from "../../schema/object.ts"
import { AccountNotConnected } from "../domain/error.ts"
import { nextWarning, reconnectBy } from "../domain/grantLife.ts"
import { type Provider, providers } from "../domain/provider.ts"
import type { AccountState, GivenTokens } from "../domain/token.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import type { HandedSource } from "../rpc/move.ts"
import { Outbox } from "./delivery/Outbox.ts"
import { keepRefreshToken, tryInPlace } from "./grants/acceptGiven.ts"
import { counted } from "./grants/counters.ts"
import { GrantStore } from "./grants/GrantStore.ts"
import { Grants } from "./grants/Grants.ts"
import type { GrantError } from "./grants/Refresher.ts"
import { TokenEvents } from "./grants/TokenEvents.ts"
import { heldElsewhere } from "./move/access.ts"
import { adoptSources } from "./move/sourceHandoff.ts"
import { connectedProviders, copiedProviders, ensurePerson, heldProviders, isHeld, rearm } from "./person.ts"
import { heldByDatabase, Poller, type ProgressListener } from "./polling/Poller.ts"
import { tooSoon } from "./polling/tooSoon.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"
import { arm, armFor, dueList, earliestDue } from "./schedule.ts"

/** How long a grant that could not be kept alive waits for the next attempt, in milliseconds. */
const keepAliveRetryMs = 3_600_000

// The methods of the object, and its alarm, each as one program.

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
      const before = store.db.query.tokens.findFirst({ where: (row) => eq(row.provider, provider) }).sync()
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

/** Polls the accounts, delivers what they brought, and sets the alarm again, whatever happened in between. */
const pollAll = Effect.fnUntraced(function* (
  wanted: ReadonlyArray<Provider>,
  trigger: "alarm" | "request",
  listener?: ProgressListener,
) {
  const poller = yield* Poller
  const outbox = yield* Outbox
  if (trigger === "request" && wanted.length > 0) yield* armFor(passGuardMs)
  const passes = yield* Effect.forEach(wanted, (provider) => Effect.exit(poller.poll(provider, trigger, listener)), {
    concurrency: "unbounded",
  })
  // Whatever broke, what the passes found until then goes to D1.
  const delivery = yield* outbox.deliver
  return { accounts: yield* Effect.all(passes), ...delivery }
}, Effect.ensuring(rearm))

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

/** Keeps a grant that could not be kept alive from being tried again at once, whatever the reason. */
const postponeKeepAlive = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  const retryAt = (yield* Clock.currentTimeMillis) + keepAliveRetryMs
  db.update(tokenRows).set({ retryAt }).where(eq(tokenRows.provider, provider)).run()
})

/** Warns the person, once, that a grant ends by its age. */
const warnOfEnd = Effect.fnUntraced(function* (provider: Provider) {
  const store = yield* Store
  const { grantLifetimes } = yield* Settings
  const events = yield* TokenEvents
  const now = yield* Clock.currentTimeMillis
  const lifetimeMs = grantLifetimes[provider]
  yield* store.transaction(() => {
    const row = store.db.select().from(tokenRows).where(eq(tokenRows.provider, provider)).get()
    const warning = row && nextWarning({ ...row, lifetimeMs }, now)
    const end = reconnectBy(lifetimeMs, row?.authorizedAt ?? null)
    if (!warning || end === null || warning.at > now) return
    const { days: warnedDays } = warning
    store.db.update(tokenRows).set({ warnedDays }).where(eq(tokenRows.provider, provider)).run()
    const left = warnedDays === 1 ? "1 day left" : `${warnedDays} days left`
    events.record(provider, "reconnect_soon", now, `${left}: connect again by ${new Date(end).toISOString()}`)
  })
})

/** Does everything that is due. The alarm runs it. */
export const doWhatIsDue = Effect.fn("doWhatIsDue")(function* () {
  const store = yield* Store
  const settings = yield* Settings
  const grants = yield* Grants
  const outbox = yield* Outbox
  const now = yield* Clock.currentTimeMillis
  const due = dueList(store, settings, now).filter(({ at }) => at <= now)
  const connected = yield* connectedProviders
  const isDue = (what: string, provider: Provider) => due.some((one) => one.what === what && one.provider === provider)
  const keepAlives = Effect.forEach(
    connected.filter((provider) => isDue("keepAlive", provider)),
    (provider) => Effect.catch(grants.refresh(provider), () => postponeKeepAlive(provider)),
    { discard: true },
  )
  const refused = providers.filter((provider) => isDue("retryRefused", provider))
  const retries = Effect.forEach(refused, (provider) => Effect.exit(grants.retryRefused(provider)), { discard: true })
  const warnings = Effect.forEach(
    connected.filter((provider) => isDue("warning", provider)),
    (provider) => warnOfEnd(provider),
    { discard: true },
  )
  const toPoll = connected.filter((provider) => isDue("poll", provider))
  const polls = toPoll.length > 0 ? pollAll(toPoll, "alarm") : Effect.void
  const isDeliveryDue = due.some(({ what }) => what === "deliver" || what === "heartbeat")
  const delivery = isDeliveryDue ? outbox.deliver : Effect.void
  // In order, and each whatever the outcome of the one before it.
  const parts = [warnings, keepAlives, retries, polls, delivery]
  const exits = yield* Effect.forEach(parts, (part) => Effect.exit(part))
  yield* Effect.all(exits, { discard: true })
}, Effect.ensuring(rearm))

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
      return Option.some({ provider, state, tokens })
    },
    Effect.catchTag("AccountNotConnected", () => Effect.succeedNone),
  )
  const known = yield* heldProviders
  const revealed = yield* Effect.forEach(known, reveal)
  yield* events.publish
  return { accounts: revealed.flatMap(Option.toArray) }
})

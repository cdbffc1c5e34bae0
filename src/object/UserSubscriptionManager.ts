import { DurableObject } from "cloudflare:workers"
import { Cause, Effect, Exit, identity, Layer, ManagedRuntime, Scheduler } from "effect"
import migrations from "../../migrations/object/migrations.js"
import { Budget } from "../budget/Budget.ts"
import { DatabaseTimeout } from "../domain/database.ts"
import { InvalidRequest, type Misconfigured, PersonForgotten } from "../domain/error.ts"
import type { UserId } from "../domain/user.ts"
import { IsRequested } from "../providers/Permits.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import { ProviderHttp } from "../providers/ProviderHttp.ts"
import type { BudgetNamespace } from "../rpc/budget.ts"
import type { CommonError, Contract, Reply, Wire } from "../rpc/contract.ts"
import type { HubNamespace } from "../rpc/hub.ts"
import * as methods from "../rpc/methods.ts"
import * as move from "../rpc/move.ts"
import { serve } from "../rpc/serve.ts"
import { doWhatIsDue } from "./alarm.ts"
import { FeedDatabase, Outbox } from "./delivery/Outbox.ts"
import { forget } from "./forget.ts"
import { GrantStore } from "./grants/GrantStore.ts"
import { Grants } from "./grants/Grants.ts"
import { Refresher } from "./grants/Refresher.ts"
import { EventQueue, TokenEvents } from "./grants/TokenEvents.ts"
import * as operations from "./methods.ts"
import { migrateOnce } from "./migrateOnce.ts"
import { getAccessToken } from "./move/access.ts"
import { discardCopies, importTokens } from "./move/copies.ts"
import { fingerprintTokens } from "./move/fingerprints.ts"
import { handBack, takeOver } from "./move/handOver.ts"
import { setMirror } from "./move/setMirror.ts"
import { Access } from "./polling/Access.ts"
import { Hubs } from "./polling/Hubs.ts"
import { Poller } from "./polling/Poller.ts"
import { endPauses, redeliver } from "./repairs.ts"
import { Settings, type SettingsVariables } from "./Settings.ts"
import { Store } from "./Store.ts"
import { arm } from "./schedule.ts"
import { readStatus, readSubscriptions } from "./status.ts"
import { Underway } from "./Underway.ts"

/** Bindings, variables and secrets that an object uses. */
export interface ObjectEnv extends SettingsVariables {
  readonly DB: D1Database
  readonly TOKEN_EVENTS?: Queue
  /** Where none is bound, objects look after every source themselves. */
  readonly HUBS?: HubNamespace
  /** Where none is bound, objects ask the providers for as much as they like. */
  readonly BUDGETS?: BudgetNamespace
}

/** Told of every source that a poll finishes. A function that crosses RPC: it runs at the caller. */
export type ProgressCallback = (progress: methods.PollProgress) => void | Promise<void>

type Services =
  | Store
  | Settings
  | ProviderHttp
  | ProviderClients
  | Grants
  | GrantStore
  | Refresher
  | Poller
  | Access
  | Hubs
  | Budget
  | Outbox
  | TokenEvents
  | Underway
  | FeedDatabase

/** Fibers go on in the same turn: what stands for `setImmediate` in workerd is a timer, which costs more than most of them do. */
const inMicrotasks = new Scheduler.MixedScheduler("async", (work) => {
  let isCancelled = false
  queueMicrotask(() => {
    if (!isCancelled) work()
  })
  return () => {
    isCancelled = true
  }
})

const services = (state: DurableObjectState, env: ObjectEnv, userId: string): Layer.Layer<Services, Misconfigured> => {
  const settings = Settings.layer(env)
  const http = Layer.unwrap(Effect.map(Settings, ({ requestTimeoutMs }) => ProviderHttp.layer(requestTimeoutMs)))
  const clients = Layer.unwrap(Effect.map(Settings, ({ endpoints }) => ProviderClients.layer(endpoints)))
  return Poller.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Outbox.layer, Access.layer, Hubs.layer(env.HUBS))),
    Layer.provideMerge(Grants.layer),
    Layer.provideMerge(Refresher.layer),
    Layer.provideMerge(GrantStore.layer),
    Layer.provideMerge(TokenEvents.layer),
    Layer.provideMerge(clients),
    Layer.provideMerge(http),
    Layer.provideMerge(Budget.layer(env.BUDGETS, env, { name: userId, isForMany: false })),
    Layer.provideMerge(
      Layer.effect(
        DatabaseTimeout,
        Effect.map(Settings, ({ databaseTimeoutMs }) => databaseTimeoutMs),
      ),
    ),
    Layer.provideMerge(settings),
    Layer.provideMerge(Layer.succeed(FeedDatabase, env.DB)),
    Layer.provideMerge(Store.layer(state, userId)),
    Layer.provideMerge(Underway.layer),
    Layer.provide(EventQueue.layer(env.TOKEN_EVENTS)),
    Layer.provideMerge(Layer.succeed(Scheduler.Scheduler, inMicrotasks)),
  )
}

/** How many subscriptions a page has if the caller does not say. */
const subscriptionsAtOnce = 100

/**
 * One person's object: keeps their grants, polls what they follow, delivers what is new. Named by the user id. Every method is
 * a contract of `src/rpc/methods.ts`, which says what it does and how it fails.
 */
export class UserSubscriptionManager<Env extends ObjectEnv = ObjectEnv> extends DurableObject<Env> {
  readonly #runtime: ManagedRuntime.ManagedRuntime<Services, Misconfigured>
  readonly #userId: string

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#userId = state.id.name ?? enrolledUserId(state.storage.sql)
    this.#runtime = ManagedRuntime.make(this.layer(services(state, env, this.#userId)))
    state.blockConcurrencyWhile(async () => {
      await migrateOnce(state.storage, migrations)
      // A row that says it is due is worth nothing without an alarm, however that came to be missing.
      if ((await state.storage.getAlarm()) === null) await this.#runtime.runPromiseExit(arm())
    })
  }

  /** Where a test puts another clock or network. */
  protected layer(live: Layer.Layer<Services, Misconfigured>): Layer.Layer<Services, Misconfigured> {
    return live
  }

  /** Serves a method, as long as the person is not erased meanwhile. A property and not a method: RPC reaches whatever the prototype has. */
  protected readonly serve = async <Name extends string, P extends { readonly userId: UserId }, W, A, E>(
    contract: Contract<Name, P, W, A, E>,
    wire: W,
    handler: (payload: P) => Effect.Effect<A, E | CommonError, Services>,
  ): Promise<Reply<Name>> => this.#answer(contract, wire, handler, tracked)

  /** Answers a call; a missing or wrong setting is an answer too, and says what to do. */
  readonly #answer = async <Name extends string, P extends { readonly userId: UserId }, W, A, E>(
    contract: Contract<Name, P, W, A, E>,
    wire: W,
    handler: (payload: P) => Effect.Effect<A, E | CommonError, Services>,
    around: <B, R>(effect: Effect.Effect<B, never, R>) => Effect.Effect<B, never, R | Services>,
  ): Promise<Reply<Name>> => {
    const owned = (payload: P) =>
      payload.userId === this.#userId ? handler(payload) : Effect.fail(notTheirs(contract.name))
    const exit = await this.#runtime.runPromiseExit(around(serve(contract, owned)(wire)))
    if (Exit.isSuccess(exit)) return exit.value
    // Nothing else interrupts a call.
    if (Cause.hasInterruptsOnly(exit.cause)) {
      return {
        method: contract.name,
        exit: contract.encodeExit(Exit.fail(new PersonForgotten({ method: contract.name }))),
      }
    }
    return Effect.runPromise(serve(contract, () => Effect.failCause(exit.cause))(wire))
  }

  setToken(payload: Wire<typeof move.HolderSetToken>) {
    return this.serve(move.HolderSetToken, payload, ({ provider, tokens, ...options }) =>
      Effect.provideService(operations.setToken(provider, tokens, options), IsRequested, true),
    )
  }

  removeToken(payload: Wire<typeof move.HolderRemoveToken>) {
    return this.serve(move.HolderRemoveToken, payload, ({ provider, epoch }) => operations.removeToken(provider, epoch))
  }

  getAccessToken(payload: Wire<typeof move.HolderGetAccessToken>) {
    return this.serve(move.HolderGetAccessToken, payload, ({ provider, compareKey }) =>
      getAccessToken(provider, compareKey),
    )
  }

  validateTokens(payload: Wire<typeof methods.ValidateTokens>) {
    return this.serve(methods.ValidateTokens, payload, () =>
      Effect.provideService(operations.validateTokens(), IsRequested, true),
    )
  }

  refreshTokens(payload: Wire<typeof methods.RefreshTokens>) {
    return this.serve(methods.RefreshTokens, payload, (options) => operations.refreshTokens(options))
  }

  pollNow(payload: Wire<typeof methods.PollNow>, onProgress?: ProgressCallback) {
    // A caller that went away has no use for progress; the poll goes on.
    const listener = (progress: methods.PollProgress) => {
      Promise.resolve(progress)
        .then(onProgress)
        .catch(() => undefined)
    }
    return this.serve(methods.PollNow, payload, () =>
      operations.pollNow(onProgress === undefined ? undefined : listener),
    )
  }

  getStatus(payload: Wire<typeof methods.GetStatus>) {
    return this.serve(methods.GetStatus, payload, readStatus)
  }

  listSubscriptions(payload: Wire<typeof move.HolderListSubscriptions>) {
    return this.serve(move.HolderListSubscriptions, payload, ({ provider, cursor, limit }) =>
      readSubscriptions(provider, cursor, limit ?? subscriptionsAtOnce).pipe(
        Effect.mapError(
          () =>
            new InvalidRequest({
              method: "listSubscriptions",
              issues: [{ path: "cursor", message: "is not a cursor that listSubscriptions gave" }],
            }),
        ),
      ),
    )
  }

  wake(payload: Wire<typeof methods.Wake>) {
    return this.serve(methods.Wake, payload, operations.wake)
  }

  endPauses(payload: Wire<typeof methods.EndPauses>) {
    return this.serve(methods.EndPauses, payload, ({ provider }) => endPauses(provider))
  }

  redeliver(payload: Wire<typeof methods.Redeliver>) {
    return this.serve(methods.Redeliver, payload, redeliver)
  }

  exportTokens(payload: Wire<typeof methods.ExportTokens>) {
    return this.serve(methods.ExportTokens, payload, operations.exportTokens)
  }

  importTokens(payload: Wire<typeof move.ImportTokens>) {
    return this.serve(move.ImportTokens, payload, ({ accounts, lease }) => importTokens(accounts, lease))
  }

  fingerprintTokens(payload: Wire<typeof move.FingerprintTokens>) {
    return this.serve(move.FingerprintTokens, payload, (options) => fingerprintTokens(options))
  }

  takeOver(payload: Wire<typeof move.TakeOver>) {
    return this.serve(move.TakeOver, payload, ({ accounts, sources, isMirrored, lease }) =>
      takeOver(accounts, { sources, isMirrored, lease }),
    )
  }

  handBack(payload: Wire<typeof move.HandBack>) {
    return this.serve(move.HandBack, payload, ({ accounts, lease }) => handBack(accounts, lease))
  }

  setMirror(payload: Wire<typeof move.SetMirror>) {
    return this.serve(move.SetMirror, payload, ({ isMirrored, lease }) => setMirror({ isMirrored }, lease))
  }

  discardCopies(payload: Wire<typeof move.DiscardCopies>) {
    return this.serve(move.DiscardCopies, payload, ({ provider, lease }) => discardCopies(provider, lease))
  }

  forget(payload: Wire<typeof methods.Forget>) {
    return this.#answer(methods.Forget, payload, forget, identity)
  }

  /** Never throws: a failure inside is logged, and the next alarm is set whatever happened. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const exit = await this.#runtime.runPromiseExit(tracked(doWhatIsDue(info?.retryCount ?? 0)))
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    // A defect, or settings that cannot be read. What was due is due still; it must not spin, and not wait for ever.
    await Effect.runPromise(Effect.logError("The alarm did not get through; it is tried again", exit.cause))
    await this.ctx.storage.setAlarm(Date.now() + alarmAfterDefectMs)
  }
}

/** What an erasure of the person ends. */
const tracked = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flatMap(Underway, ({ track }) => track(effect))

/** How long an object waits after an alarm that broke, in milliseconds. */
const alarmAfterDefectMs = 60_000

/** Whose object this is, where the platform does not say: an alarm may wake an object without its name. */
const enrolledUserId = (sql: SqlStorage): string => {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'person'").toArray()
  const [row] = tables.length === 0 ? [] : sql.exec<{ user_id: string }>("SELECT user_id FROM person").toArray()
  return row?.user_id ?? ""
}

const notTheirs = (method: string) =>
  new InvalidRequest({ method, issues: [{ path: "userId", message: "is not the person of this object" }] })

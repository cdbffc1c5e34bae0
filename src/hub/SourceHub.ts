import { DurableObject } from "cloudflare:workers"
import { Effect, Exit, Layer, ManagedRuntime, Option, Redacted } from "effect"
import migrations from "../../migrations/hub/migrations.js"
import { Budget } from "../budget/Budget.ts"
import { DatabaseTimeout } from "../domain/database.ts"
import type { Misconfigured } from "../domain/error.ts"
import { FeedDatabase } from "../object/delivery/Outbox.ts"
import { migrateOnce } from "../object/migrateOnce.ts"
import type { Access } from "../object/polling/Access.ts"
import { Hubs } from "../object/polling/Hubs.ts"
import { Recording } from "../object/polling/recordCheck.ts"
import { recordPublicSource } from "../object/polling/statements.ts"
import { Settings, type SettingsVariables } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import { ProviderHttp } from "../providers/ProviderHttp.ts"
import { pushRequests } from "../providers/websub.ts"
import { youtubeFeed } from "../providers/youtubeFeed.ts"
import type { BudgetNamespace } from "../rpc/budget.ts"
import type { CommonError, Contract, Reply, Wire } from "../rpc/contract.ts"
import { FindListing, type HubNamespace, ShareListing, Watch } from "../rpc/hub.ts"
import { ConfirmPushes, TakePush } from "../rpc/push.ts"
import { serve } from "../rpc/serve.ts"
import { Feeds } from "./feeds.ts"
import { Hub, keyedAccess } from "./Hub.ts"
import { handOver } from "./handOver.ts"
import { findListing, shareListing } from "./listings.ts"
import { confirmPushes, PushRequests, takePush } from "./pushes.ts"
import type * as statements from "./statements.ts"
import { arm, lookAround } from "./wake.ts"
import { watch } from "./watch.ts"

/** Bindings, variables and secrets that a hub uses. */
export interface HubEnv extends SettingsVariables {
  readonly DB: D1Database
  readonly HUBS?: HubNamespace
  readonly BUDGETS?: BudgetNamespace
}

type Services =
  | Store
  | Hub
  | Hubs
  | Budget
  | Settings
  | ProviderHttp
  | ProviderClients
  | Access
  | Feeds
  | PushRequests
  | FeedDatabase

/** Longest time between two looks at a channel's feed, in milliseconds: a look costs no quota. */
const longestLookMs = 6 * 3_600_000

/** The settings of a hub: as those of objects, but that nobody is backfilled by it, and that feeds are looked at more often. */
const hubSettings = Layer.effect(
  Settings,
  Effect.map(Settings, (settings) => ({
    ...settings,
    backfillItems: 0,
    recheckMs: settings.channelRecheckMs,
    bounds: {
      ...settings.bounds,
      maximumMs: Math.max(settings.bounds.minimumMs, Math.min(settings.bounds.maximumMs, longestLookMs)),
    },
  })),
)

const services = (state: DurableObjectState, env: HubEnv, name: string): Layer.Layer<Services, Misconfigured> => {
  const settings = hubSettings.pipe(Layer.provide(Settings.layer(env)))
  const http = Layer.unwrap(
    Effect.map(Settings, ({ requestTimeoutMs }) => ProviderHttp.layer(requestTimeoutMs, "apiKey")),
  )
  const clients = Layer.unwrap(Effect.map(Settings, ({ endpoints }) => ProviderClients.layer(endpoints)))
  const access = Layer.unwrap(
    Effect.map(Settings, ({ publicYoutube: { apiKey } }) =>
      keyedAccess(Option.getOrElse(apiKey, () => Redacted.make(""))),
    ),
  )
  const feeds = Layer.effect(
    Feeds,
    Effect.gen(function* () {
      const { publicYoutube } = yield* Settings
      return { read: youtubeFeed(publicYoutube.feedUrl, yield* ProviderHttp) }
    }),
  )
  const pushes = Layer.effect(
    PushRequests,
    Effect.gen(function* () {
      const { publicYoutube, requestTimeoutMs } = yield* Settings
      return { ask: pushRequests(publicYoutube, requestTimeoutMs, yield* ProviderHttp) }
    }),
  )
  const timeout = Layer.effect(
    DatabaseTimeout,
    Effect.map(Settings, ({ databaseTimeoutMs }) => databaseTimeoutMs),
  )
  return Layer.mergeAll(access, feeds, pushes, clients, Hubs.layer(env.HUBS)).pipe(
    Layer.provideMerge(http),
    Layer.provideMerge(Budget.layer(env.BUDGETS, env, { name, isForMany: true })),
    Layer.provideMerge(Hub.layer(name)),
    Layer.provideMerge(timeout),
    Layer.provideMerge(settings),
    Layer.provideMerge(Layer.succeed(FeedDatabase, env.DB)),
    Layer.provideMerge(Store.layer(state, name)),
    Layer.provideMerge(Layer.succeed(Recording, { recordSource: recordPublicSource, tellNews: () => undefined })),
  )
}

/**
 * Looks after many public sources for all who follow them: finds what is new once, and writes it to everybody's feed in D1. Knows nothing
 * of any person. Named as `hubOf` of `src/domain/hub.ts` says.
 */
export class SourceHub<Env extends HubEnv = HubEnv> extends DurableObject<Env> {
  readonly #runtime: ManagedRuntime.ManagedRuntime<Services, Misconfigured>

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const name = state.id.name ?? knownName(state.storage.sql)
    this.#runtime = ManagedRuntime.make(this.layer(services(state, env, name)))
    state.blockConcurrencyWhile(async () => {
      await migrateOnce(state.storage, migrations)
      if ((await state.storage.getAlarm()) === null) await this.#runtime.runPromiseExit(arm)
    })
  }

  /** Where a test puts another clock or network. */
  protected layer(live: Layer.Layer<Services, Misconfigured>): Layer.Layer<Services, Misconfigured> {
    return live
  }

  /** Serves a method; a missing or wrong setting is an answer too. Contracts: `src/rpc/hub.ts`. */
  readonly #serve = async <Name extends string, P, W, A, E>(
    contract: Contract<Name, P, W, A, E>,
    wire: W,
    handler: (payload: P) => Effect.Effect<A, E | CommonError, Services>,
  ): Promise<Reply<Name>> => {
    const exit = await this.#runtime.runPromiseExit(serve(contract, handler)(wire))
    return Exit.isSuccess(exit)
      ? exit.value
      : Effect.runPromise(serve(contract, () => Effect.failCause(exit.cause))(wire))
  }

  /** Takes sources on, or says that they are looked after. */
  watch(payload: Wire<typeof Watch>) {
    return this.#serve(Watch, payload, ({ sourceIds, isRequested }) =>
      Effect.flatMap(Hub, ({ alone }) => alone(Effect.ensuring(watch(sourceIds, isRequested), arm))),
    )
  }

  findListing(payload: Wire<typeof FindListing>) {
    return this.#serve(FindListing, payload, ({ sourceId, after }) =>
      Effect.map(findListing(sourceId, after), (listing) => ({ listing })),
    )
  }

  shareListing(payload: Wire<typeof ShareListing>) {
    return this.#serve(ShareListing, payload, ({ sourceId, listing }) => Effect.as(shareListing(sourceId, listing), {}))
  }

  confirmPushes(payload: Wire<typeof ConfirmPushes>) {
    return this.#serve(ConfirmPushes, payload, confirmPushes)
  }

  takePush(payload: Wire<typeof TakePush>) {
    return this.#serve(TakePush, payload, (push) => Effect.ensuring(takePush(push), arm))
  }

  /** Never throws: a failure inside is logged, and the next alarm is set whatever happened. */
  override async alarm(invocation?: AlarmInvocationInfo): Promise<void> {
    // Never throws, so the platform fires an alarm again only if a limit of its own has ended the one before.
    const isCareful = invocation?.isRetry === true
    const looked = Effect.flatMap(Hub, ({ alone }) => Effect.andThen(alone(lookAround(isCareful)), handOver))
    const over = Effect.andThen(
      arm,
      Effect.flatMap(Budget, ({ giveBack }) => giveBack),
    )
    const exit = await this.#runtime.runPromiseExit(Effect.ensuring(looked, over))
    if (Exit.isSuccess(exit)) return
    await Effect.runPromise(Effect.logError("A hub did not get through its looks; it tries again", exit.cause))
    await this.ctx.storage.setAlarm(Date.now() + alarmAfterDefectMs)
  }
}

/** How long a hub waits after an alarm that broke, in milliseconds. */
const alarmAfterDefectMs = 60_000

/** The hub's name, where the platform does not say: an alarm may wake an object without it. */
const knownName = (sql: SqlStorage): string => {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'hub'").toArray()
  const [row] =
    tables.length === 0 ? [] : sql.exec<statements.Self & { name: string }>("SELECT name FROM hub").toArray()
  return row?.name ?? ""
}

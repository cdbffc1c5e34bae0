import { exports } from "cloudflare:workers"
import { Clock, Effect, Layer, Redacted } from "effect"
import { UserId } from "../../../src/domain/user.ts"
import { selectFeed } from "../../../src/gateway/Feed.ts"
import { type HubEnv, SourceHub as LiveHub } from "../../../src/hub/SourceHub.ts"
import { UserSubscriptionManager as LiveManager, type ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { call } from "../../../src/rpc/call.ts"
import { PollNow, SetToken } from "../../../src/rpc/methods.ts"
import type { Named, SimulatedOperations } from "../../day/operations.ts"
import { ahead, nowMillis, simulatedClock } from "./clock.ts"
import { type Counted, countStorage } from "./counted.ts"

// The core worker on a clock that passes days as fast as there is nothing to do, with what each object costs counted. Never deployed.

export { GatewayEntrypoint } from "../../../src/core/entrypoints.ts"

const onSimulatedClock = Layer.succeed(Clock.Clock, simulatedClock)

/** Does what an alarm does, once the clock is where it is set to. Returns when it is set to next. */
const ring = async (storage: DurableObjectStorage, counted: Counted, alarm: () => Promise<void>) => {
  const at = await storage.getAlarm()
  if (at !== null && at <= nowMillis()) {
    await storage.deleteAlarm()
    counted.counts.wakes += 1
    await alarm()
  }
  return storage.getAlarm()
}

export class UserSubscriptionManager extends LiveManager<ObjectEnv> {
  readonly #counted: Counted
  constructor(state: DurableObjectState, env: ObjectEnv) {
    const counted = countStorage(state.storage)
    super(state, env)
    this.#counted = counted
  }
  protected override layer(layer: Parameters<LiveManager["layer"]>[0]) {
    return Layer.provideMerge(layer, onSimulatedClock)
  }
  ring() {
    return ring(this.ctx.storage, this.#counted, () => this.alarm())
  }
  async counts() {
    return this.#counted.read()
  }
  async tables() {
    const { sql } = this.ctx.storage
    return { bytes: sql.databaseSize }
  }
}

export class SourceHub extends LiveHub<HubEnv> {
  readonly #counted: Counted
  constructor(state: DurableObjectState, env: HubEnv) {
    const counted = countStorage(state.storage)
    super(state, env)
    this.#counted = counted
  }
  protected override layer(layer: Parameters<LiveHub["layer"]>[0]) {
    return Layer.provideMerge(layer, onSimulatedClock)
  }
  ring() {
    return ring(this.ctx.storage, this.#counted, () => this.alarm())
  }
  async counts() {
    return this.#counted.read()
  }
}

interface SimulatedEnv {
  readonly USERS: DurableObjectNamespace<UserSubscriptionManager>
  readonly HUBS: DurableObjectNamespace<SourceHub>
  readonly DB: D1Database
}

type Answers = {
  readonly [Name in keyof SimulatedOperations]: (
    env: SimulatedEnv,
    input: SimulatedOperations[Name]["input"],
  ) => Promise<SimulatedOperations[Name]["output"]>
}

const objects = ({ USERS, HUBS }: SimulatedEnv, { users, hubs }: Named) => [
  ...users.map((name) => USERS.get(USERS.idFromName(name))),
  ...hubs.map((name) => HUBS.get(HUBS.idFromName(name))),
]

const answers: Answers = {
  connect: async (_env, { userId, provider, tokens }) => {
    const setToken = call(SetToken, (wire) => exports.GatewayEntrypoint.setToken(wire))
    const accessToken = Redacted.make(tokens.accessToken)
    const refreshToken = Redacted.make(tokens.refreshToken)
    await Effect.runPromise(
      setToken({ userId: UserId.make(userId), provider, tokens: { ...tokens, accessToken, refreshToken } }),
    )
    return null
  },
  poll: async (_env, { userId }) => {
    const pollNow = call(PollNow, (wire) => exports.GatewayEntrypoint.pollNow(wire))
    await Effect.runPromise(pollNow({ userId: UserId.make(userId) }))
    return null
  },
  runUntil: async (env, input) => {
    const all = objects(env, input)
    const alarms = new Map<(typeof all)[number], number | null>()
    for (const object of all) alarms.set(object, await object.ring())
    for (;;) {
      const [next] = [...alarms].toSorted(([, one], [, other]) => (one ?? Infinity) - (other ?? Infinity))
      const at = next?.[1] ?? Infinity
      if (next === undefined || at > input.until) break
      ahead.ms = Math.max(ahead.ms, at - Date.now())
      alarms.set(next[0], await next[0].ring())
    }
    ahead.ms = Math.max(ahead.ms, input.until - Date.now())
    return null
  },
  counts: async (env, input) => {
    const counts = { wakes: 0, rowsWritten: 0, rowsRead: 0 }
    for (const object of objects(env, input)) {
      using one = await object.counts()
      counts.wakes += one.wakes
      counts.rowsWritten += one.rowsWritten
      counts.rowsRead += one.rowsRead
    }
    return counts
  },
  bytes: async (env, { userId }) => {
    using tables = await env.USERS.get(env.USERS.idFromName(userId)).tables()
    return { bytes: tables.bytes }
  },
  feedPage: async ({ DB }, { userId, query, rows }) => {
    const { sql, params } = selectFeed(DB, UserId.make(userId), query, rows).toSQL()
    const { results, meta } = await DB.prepare(sql)
      .bind(...params)
      .all()
    return { rowsRead: meta.rows_read, rows: results.length }
  },
}

const isOperation = (name: string): name is keyof SimulatedOperations => Object.hasOwn(answers, name)

const answer = <Name extends keyof SimulatedOperations>(
  name: Name,
  env: SimulatedEnv,
  input: SimulatedOperations[Name]["input"],
) => answers[name](env, input)

export default {
  fetch: async (request, env) => {
    const name = new URL(request.url).pathname.slice(1)
    if (!isOperation(name)) return new Response(null, { status: 404 })
    return Response.json(await answer(name, env, await request.json()))
  },
} satisfies ExportedHandler<SimulatedEnv>

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import type { GrantInput } from "../../local/simulator/model.ts"
import type { Provider } from "../../src/domain/provider.ts"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import * as methods from "../../src/rpc/methods.ts"
import { SharedSimulatorClient } from "../simulator/sharedClient.ts"
import { printed, seen } from "./traces.ts"

export const simulator = new SharedSimulatorClient(env.SIMULATOR_URL)

let people = 0

/** Somebody with an object of their own, reached as the gateway reaches it: through the service binding. */
export class Person {
  readonly id = UserId.make(`person-${++people}-${crypto.randomUUID().slice(0, 8)}`)

  get stub() {
    return env.USERS.get(env.USERS.idFromName(this.id))
  }

  /** Follows sources at the providers. */
  async follows(...sources: ReadonlyArray<string>) {
    await simulator.createPeople([{ id: this.id, sources: [...sources] }])
    return this
  }

  /** Connects an account, with a grant that the simulator has just issued. */
  async connects(provider: Provider, options: GrantInput = {}) {
    const grant = await simulator.grant(this.id, provider, options)
    const tokens = {
      ...grant,
      accessToken: Redacted.make(grant.accessToken),
      refreshToken: Redacted.make(grant.refreshToken),
    }
    return this.run(this.setToken({ userId: this.id, provider, tokens }))
  }

  readonly run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(Effect.tapCause(effect, (cause) => Effect.sync(() => seen.push(printed(cause)))))
  readonly setToken = call(methods.SetToken, (wire) => exports.GatewayEntrypoint.setToken(wire))

  removeToken(provider: Provider) {
    const remove = call(methods.RemoveToken, (wire) => exports.GatewayEntrypoint.removeToken(wire))
    return this.run(remove({ userId: this.id, provider }))
  }
  pollNow(onProgress?: (progress: methods.PollProgress) => void) {
    const poll = call(methods.PollNow, (wire) => exports.GatewayEntrypoint.pollNow(wire, onProgress))
    return this.run(poll({ userId: this.id }))
  }
  refreshTokens(options: { readonly provider?: Provider; readonly force?: boolean } = {}) {
    const refresh = call(methods.RefreshTokens, (wire) => exports.GatewayEntrypoint.refreshTokens(wire))
    return this.run(refresh({ userId: this.id, ...options }))
  }
  validateTokens() {
    const validate = call(methods.ValidateTokens, (wire) => exports.GatewayEntrypoint.validateTokens(wire))
    return this.run(validate({ userId: this.id }))
  }
  status() {
    return this.run(call(methods.GetStatus, (wire) => exports.GatewayEntrypoint.getStatus(wire))({ userId: this.id }))
  }
  subscriptionPage(page: { readonly limit: number; readonly cursor?: string }) {
    const list = call(methods.ListSubscriptions, (wire) => exports.GatewayEntrypoint.listSubscriptions(wire))
    return this.run(list({ userId: this.id, ...page }))
  }
  async subscriptions() {
    return (await this.subscriptionPage({ limit: 500 })).subscriptions
  }
  wake() {
    return this.run(call(methods.Wake, (wire) => exports.CronEntrypoint.wake(wire))({ userId: this.id }))
  }
  exportTokens() {
    const reveal = call(methods.ExportTokens, (wire) => exports.MigrationEntrypoint.exportTokens(wire))
    return this.run(reveal({ userId: this.id }))
  }
  endPauses() {
    return this.run(call(methods.EndPauses, (wire) => exports.MigrationEntrypoint.endPauses(wire))({ userId: this.id }))
  }

  redeliver() {
    return this.run(call(methods.Redeliver, (wire) => exports.MigrationEntrypoint.redeliver(wire))({ userId: this.id }))
  }

  forget() {
    return this.run(call(methods.Forget, (wire) => exports.GatewayEntrypoint.forget(wire))({ userId: this.id }))
  }

  /** Fires the alarm now, if one is set. */
  alarm() {
    return runDurableObjectAlarm(this.stub)
  }

  /** Runs a statement in the object's own database. */
  sql(statement: string, ...bindings: Array<SqlStorageValue>) {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.sql.exec(statement, ...bindings).toArray())
  }

  /** The object leaves memory: it starts anew with whatever comes next. */
  evict() {
    return evictDurableObject(this.stub)
  }

  /** Everything is due, as if nothing had been asked for long. */
  async becomesDue(provider?: Provider) {
    const which = provider === undefined ? "" : ` WHERE provider = '${provider}'`
    await this.sql(
      `UPDATE accounts SET look_at = NULL, library_read_at = iif(library_read_at IS NULL, NULL, 1)${which}`,
    )
    await this.sql(`UPDATE subscriptions SET due_at = 0${which}`)
  }

  /** When the alarm goes off, as the platform has it: epoch milliseconds. Asks the object nothing. */
  alarmAt() {
    return runInDurableObject(this.stub, (_instance, { storage }) => storage.getAlarm())
  }

  /** The object dies, and its alarm with it, however that came about. */
  async losesItsAlarm() {
    await runInDurableObject(this.stub, (_instance, { storage }) => storage.deleteAlarm())
    await evictDurableObject(this.stub)
  }

  /** What is in the person's feed, newest first. */
  async feed() {
    const { results } = await env.DB.prepare(
      "SELECT provider, external_id AS id, is_backfill AS isBackfill FROM user_feed_items WHERE user_id = ?1 ORDER BY published_at DESC",
    )
      .bind(this.id)
      .all<{ readonly provider: Provider; readonly id: string; readonly isBackfill: number }>()
    return results
  }

  /** The ids of what was delivered as new. */
  async newIds() {
    return (await this.feed()).filter(({ isBackfill }) => isBackfill === 0).map(({ id }) => id)
  }
}

import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { runCron } from "../../../src/cron/runCron.ts"
import { dropTokenColumns } from "../../../src/migration/contract/dropTokenColumns.ts"
import { stepServices } from "../../../src/migration/run/stepServices.ts"
import { Account, withGrants } from "../../move/account.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, begin, bindings, cancel, move, positionOf } from "../driver.ts"

// The tests run in order: who is in the way, the drop step, and what works after it.

const moved = new PersonInMove()
const account = new Account()
let show = ""

const drop = (DB: D1Database = env.DB, options: Parameters<typeof dropTokenColumns>[0] = {}) =>
  Effect.runPromise(dropTokenColumns(options).pipe(Effect.provide(stepServices({ ...bindings, DB }))))

const set = (table: string, columns: string) =>
  env.DB.prepare(`UPDATE ${table} SET ${columns} WHERE user_id = ?1`).bind(moved.id).run()
const hasColumns = () => env.DB.prepare("SELECT access_token FROM user_accounts").all()

describe("The drop step", () => {
  it("is not taken before somebody who has moved is at the end", async () => {
    show = await simulator.createSource({ provider: "spotify", items: 3 })
    await moved.follows(show)
    await moved.hasInDatabase("spotify")
    await aimAt("complete", [moved.id])
    await expect(drop()).rejects.toMatchObject({ reason: "not_complete", people: [moved.id] })
    await move({ people: [moved.id] })
    const { verifiedAt } = await positionOf(moved.id)
    expect(verifiedAt).not.toBeNull()
  })

  it.each([
    ["token_migration_status", "verified_at = NULL", (at: number) => `verified_at = ${at}`],
    ["token_migration_status", "stage = 'rampdown'", () => "stage = 'complete'"],
    ["token_migration_status", "state = 'failed'", () => "state = 'migrated'"],
    ["user_accounts", "holder = 'database'", () => "holder = 'object'"],
  ])("nor while %s says %s of somebody, not even when that comes at the last moment", async (table, spoilt, healed) => {
    const { verifiedAt } = await positionOf(moved.id)
    const refusal = { _tag: "Conflict", reason: "not_complete", people: [moved.id] }
    // The batch that drops has more statements than the one that looks.
    const late = new Proxy(env.DB, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key)
        if (key !== "batch") return typeof member === "function" ? member.bind(target) : member
        return async (statements: Array<D1PreparedStatement>) => {
          if (statements.length > 2) await set(table, spoilt)
          return target.batch(statements)
        }
      },
    })
    await expect(drop(late)).rejects.toMatchObject(refusal)
    await expect(drop()).rejects.toMatchObject(refusal)
    await set(table, healed(Number(verifiedAt)))
    await hasColumns()
  })

  it("nor while D1 has tokens of somebody who was never in the move, or a run is under way", async () => {
    await (await account.connected()).has({ holder: "object", epoch: 2 })
    await expect(drop()).rejects.toMatchObject({ reason: "not_complete", people: [account.userId] })
    await account.has({ access_token: null, refresh_token: null })
    const run = await begin({})
    await expect(drop()).rejects.toMatchObject({ reason: "run_under_way" })
    await cancel(run)
    await hasColumns()
  })

  it("drops the columns, with what was mirrored late of somebody who had arrived; done again it does nothing", async () => {
    await set("user_accounts", "access_token = 'late', refresh_token = 'late'")
    expect(await drop()).toMatchObject({ isDone: true, inTheWay: 0 })
    await expect(hasColumns()).rejects.toThrow("no such column")
    expect(await drop()).toMatchObject({ isDone: true })
  })
})

describe("After the drop step", () => {
  it("accounts that objects hold are still told from others", async () => {
    const unknown = new Account()
    const ask = (whose: Account) => withGrants((grants) => Effect.flip(grants.accessToken(whose)))
    expect(await ask(account)).toMatchObject({ _tag: "HeldByObject", epoch: 2 })
    expect(await ask(unknown)).toMatchObject({ _tag: "AccountNotConnected" })
    expect(await withGrants((grants) => grants.find(account))).toMatchObject({ value: { holder: "object" } })
  })

  it("everything works as before: for who has moved, and for who comes then", async () => {
    const born = new PersonInMove()
    await born.follows(show)
    await born.connects("spotify")
    const published = new Set<string>()
    for (const person of [moved, born]) {
      await person.pollNow()
      expect((await person.accessToken()).expiresAt).toBeGreaterThan(Date.now())
      expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
      expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: true }] })
      expect(await person.connects("spotify")).toMatchObject({ state: "connected" })
      await person.connects("youtube")
      expect(await person.accessToken("youtube")).toBeDefined()
      expect((await person.status()).accounts).toMatchObject([
        { provider: "spotify", holder: "object", state: "connected" },
        { provider: "youtube", holder: "object", state: "connected" },
      ])
      expect(await person.subscriptions()).toMatchObject([{ sourceId: show, state: "active" }])
    }
    for (const { id } of await simulator.publish(show, 2)) published.add(id)
    for (const person of [moved, born]) {
      await person.pollNow()
      expect(new Set(await person.newIds())).toEqual(published)
      await person.alarm()
      expect((await person.status()).undelivered).toBe(0)
    }

    await env.DB.prepare("UPDATE durable_object_status SET expected_by = 1 WHERE user_id = ?1").bind(moved.id).run()
    await Effect.runPromise(runCron({ ...env, CORE: exports.CronEntrypoint }))
    const { results } = await env.DB.prepare("SELECT kind, figures FROM durable_object_metrics").all<{
      kind: string
      figures: string
    }>()
    const figures = Object.fromEntries(results.map(({ kind, figures: text }) => [kind, JSON.parse(text)]))
    expect(figures).toMatchObject({
      cron_run: { found: 1, woken: 1, failed: 0, isComplete: true },
      legacy_run: { found: 0, failed: 0, isComplete: true }, // legacy
    })

    expect(await moved.removeToken("youtube")).toEqual({ removed: true })
    await expect(moved.accessToken("youtube")).rejects.toMatchObject({ _tag: "AccountNotConnected" })
    await moved.forget()
    expect(await moved.row("spotify")).toBeNull()
  })
})

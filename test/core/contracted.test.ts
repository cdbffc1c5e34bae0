import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { beforeAll, expect, it } from "vitest"
import { runCron } from "../../src/cron/runCron.ts"
import { aimAt, move } from "../migration/driver.ts"
import { Account, withGrants } from "../move/account.ts"
import { Mover } from "../object/mover.ts"
import { simulator } from "../object/person.ts"

// After the contract step: what `migrations/contract` drops is gone.

const moved = new Mover()
const account = new Account()
let show = ""

beforeAll(async () => {
  show = await simulator.createSource({ provider: "spotify", items: 3 })
  await moved.follows(show)
  await moved.hasInDatabase("spotify")
  await (await account.connected()).has({ holder: "object", epoch: 2 })
  await aimAt("complete", [moved.id])
  await move({ people: [moved.id] })
  for (const column of ["access_token", "refresh_token", "expires_at", "scope"]) {
    await env.DB.exec(`ALTER TABLE user_accounts DROP COLUMN ${column}`)
  }
})

it("accounts that objects hold are still told from others", async () => {
  const unknown = new Account()
  const ask = (whose: Account) => withGrants((grants) => Effect.flip(grants.accessToken(whose)))
  expect(await ask(account)).toMatchObject({ _tag: "HeldByObject", epoch: 2 })
  expect(await ask(unknown)).toMatchObject({ _tag: "AccountNotConnected" })
  expect(await withGrants((grants) => grants.find(account))).toMatchObject({ value: { holder: "object" } })
})

it("everything works as before: for who has moved, and for who comes then", async () => {
  const born = new Mover()
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
    legacy_run: { found: 0, failed: 0, isComplete: true },
  })

  expect(await moved.removeToken("youtube")).toEqual({ removed: true })
  await expect(moved.accessToken("youtube")).rejects.toMatchObject({ _tag: "AccountNotConnected" })
  await moved.forget()
  expect(await moved.row("spotify")).toBeNull()
})

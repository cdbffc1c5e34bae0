import { runDurableObjectAlarm } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { beforeEach, expect, it } from "vitest"
import { runCron } from "../../src/cron/runCron.ts"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import { ImportTokens, TakeOver } from "../../src/rpc/move.ts"
import { clear, feedOf, ledgerEnd, requestsOf, settle, withoutSeveral } from "../legacy/people.ts"
import { toTokens } from "../move/account.ts"

// Through the seam that docs/runbook-cleanup.md takes out: the old way beside the new, person by person.

const simulator = withoutSeveral
const importTokens = call(ImportTokens, (wire) => exports.MigrationEntrypoint.importTokens(wire))
const takeOver = call(TakeOver, (wire) => exports.MigrationEntrypoint.takeOver(wire))

beforeEach(clear)

const cron = (variables: Readonly<Record<string, string>> = {}) =>
  Effect.runPromise(runCron({ ...env, CORE: exports.CronEntrypoint, ...variables }))

const figures = async (kind: string) => {
  const { results } = await env.DB.prepare(
    "SELECT figures FROM durable_object_metrics WHERE kind = ?1 ORDER BY id DESC",
  )
    .bind(kind)
    .all<{ readonly figures: string }>()
  return JSON.parse(results[0]?.figures ?? "null")
}

it("cron polls whom D1 holds and wakes the objects of the others, and both leave figures of one shape", async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 2 })
  const people = await settle(2, [show], { at: simulator })
  const [moved = "", stays = ""] = people
  await cron()
  expect(await figures("legacy_run")).toMatchObject({ found: 2, polled: 2, isComplete: true })
  expect(await figures("cron_run")).toMatchObject({ found: 0, isComplete: true })

  // The hand-over of docs/move.md, as far as it matters to cron: the row's holder decides.
  const userId = UserId.make(moved)
  const tokens = toTokens(await simulator.grant(moved, "spotify"))
  await Effect.runPromise(
    importTokens({ userId, accounts: [{ provider: "spotify", epoch: 1, generation: 0, tokens }] }),
  )
  await env.DB.prepare("UPDATE user_accounts SET holder = 'object', epoch = 2 WHERE user_id = ?1").bind(moved).run()
  await Effect.runPromise(
    takeOver({ userId, accounts: [{ provider: "spotify", epoch: 2 }], sources: [], isMirrored: false }),
  )
  await runDurableObjectAlarm(env.USERS.get(env.USERS.idFromName(moved)))
  await env.DB.prepare(
    `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, sources, failing_sources, accounts)
     VALUES (?1, '', 0, 1, 0, 0, '[]') ON CONFLICT DO UPDATE SET expected_by = 1`,
  )
    .bind(moved)
    .run()
  const [{ id = "" } = {}] = await simulator.publish(show, 1)
  const since = await ledgerEnd(simulator)
  await cron()
  expect(await figures("legacy_run")).toMatchObject({ found: 1, polled: 1, items: 1 })
  expect(await figures("cron_run")).toMatchObject({ found: 1, woken: 1 })
  expect(await requestsOf([stays], since, simulator)).toEqual({ library: 1, items: 1 })
  expect((await feedOf(stays)).fresh).toEqual([id])
  for (const kind of ["legacy_run", "cron_run"]) {
    expect(await figures(kind)).toMatchObject({
      found: expect.any(Number),
      failed: expect.any(Number),
      durationMs: expect.any(Number),
      failures: [],
      isComplete: true,
    })
  }
})

it("a wrong setting of one keeps the other from nothing", async () => {
  const people = await settle(1, [await simulator.createSource({ provider: "spotify", items: 1 })], { at: simulator })
  await expect(cron({ LEGACY_BATCH_SIZE: "none" })).rejects.toThrow("LEGACY_BATCH_SIZE")
  expect(await figures("cron_run")).toMatchObject({ isComplete: true })
  expect((await feedOf(people[0] ?? "")).backfill).toEqual([])
})

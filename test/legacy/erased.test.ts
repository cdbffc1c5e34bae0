import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { beforeEach, expect, it } from "vitest"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import { Forget } from "../../src/rpc/methods.ts"
import { clear, feedOf, followsOf, run, settle, simulator } from "./people.ts"

beforeEach(clear)

const forget = (userId: string) =>
  Effect.runPromise(call(Forget, (wire) => exports.GatewayEntrypoint.forget(wire))({ userId: UserId.make(userId) }))

const accountsOf = (userId: string) =>
  env.DB.prepare("SELECT count(*) AS accounts FROM user_accounts WHERE user_id = ?1").bind(userId).first("accounts")

it.each([
  ["their library is read", "library", 3600],
  ["their sources are asked", "items", 3600],
  ["their token is refreshed", "token", -60],
] as const)("A run leaves nothing of a person who is erased while %s", async (_when, kind, expiresInSeconds) => {
  const source = await simulator.createSource({ provider: "spotify", items: 3 })
  const [userId = ""] = await settle(1, [source], { expiresInSeconds })
  const gate = await simulator.hold({ person: userId, kind })
  const running = run()
  await simulator.waitForHeld(gate)
  await forget(userId)
  await simulator.release(gate)
  await running
  expect(await accountsOf(userId)).toBe(0)
  expect(await followsOf(userId)).toEqual([])
  expect(await feedOf(userId)).toEqual({ fresh: [], backfill: [] })
})

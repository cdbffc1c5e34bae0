import { afterAll, beforeAll, expect, test } from "vitest"
import { testingModeSeconds } from "../../local/simulator/model/lifetimes.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { refreshAt, refusalOf } from "./asking.ts"

const dayMs = 86_400_000
const accepted = "accepted"
const refused = "400 invalid_grant"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const daysAgo = (days: number) => Date.now() - days * dayMs

test("a Spotify grant ends six months after its authorization, however lately it was refreshed", async () => {
  const own = await startSimulator({ refreshTokenRotation: { spotify: "none" } })
  const { refreshToken } = await own.client.grant("steady", "spotify")
  const attempt = () => refusalOf(refreshAt(own, "spotify", refreshToken))
  for (let month = 1; month <= 6; month++) {
    await own.client.advanceClock(30 * dayMs)
    expect(await attempt()).toBe(accepted)
  }
  await own.client.advanceClock(4 * dayMs)
  expect(await attempt()).toBe(refused)
  expect((await own.client.tokenState("steady", "spotify")).validRefreshTokens).toEqual([])
  await own.close()
})

test("rotation does not prolong a Spotify grant, and a new consent does", async () => {
  const { refreshToken } = await simulator.client.grant("rotated", "spotify", { authorizedAt: daysAgo(182) })
  const { tokens } = await refreshAt(simulator, "spotify", refreshToken)
  await simulator.client.setGrantLifetime("spotify", { sinceAuthorizationSeconds: 181 * 86_400 }, "rotated")
  expect(await refusalOf(refreshAt(simulator, "spotify", tokens.refresh_token ?? ""))).toBe(refused)
  const { refreshToken: renewed } = await simulator.client.grant("rotated", "spotify")
  expect(await refusalOf(refreshAt(simulator, "spotify", renewed))).toBe(accepted)
})

test("a grant authorized long ago has ended from the start, and a lifetime of null revives it", async () => {
  const { refreshToken } = await simulator.client.grant("old", "spotify", { authorizedAt: daysAgo(190) })
  const attempt = () => refusalOf(refreshAt(simulator, "spotify", refreshToken))
  expect(await attempt()).toBe(refused)
  await simulator.client.setGrantLifetime("spotify", { sinceAuthorizationSeconds: null }, "old")
  expect(await attempt()).toBe(accepted)
})

test("a Google grant ends six months after its last use, and each refresh is a use", async () => {
  const own = await startSimulator()
  const { refreshToken: used } = await own.client.grant("used", "youtube")
  const { refreshToken: idle } = await own.client.grant("idle", "youtube")
  const attempt = (token: string) => refusalOf(refreshAt(own, "youtube", token))
  await own.client.advanceClock(100 * dayMs)
  expect(await attempt(used)).toBe(accepted)
  await own.client.advanceClock(100 * dayMs)
  expect(await attempt(used)).toBe(accepted)
  expect(await attempt(idle)).toBe(refused)
  await own.close()
})

test("a Google grant that was never used ends six months after its authorization", async () => {
  const { refreshToken: forgotten } = await simulator.client.grant("forgotten", "youtube", {
    authorizedAt: daysAgo(190),
  })
  const { refreshToken: recent } = await simulator.client.grant("recent", "youtube", { authorizedAt: daysAgo(170) })
  expect(await refusalOf(refreshAt(simulator, "youtube", forgotten))).toBe(refused)
  expect(await refusalOf(refreshAt(simulator, "youtube", recent))).toBe(accepted)
})

test("a Google application in testing loses its grants after seven days, used or not", async () => {
  const own = await startSimulator({
    grantLifetimes: { youtube: { sinceAuthorizationSeconds: testingModeSeconds } },
  })
  const { refreshToken } = await own.client.grant("tester", "youtube", { authorizedAt: daysAgo(6) })
  const attempt = () => refusalOf(refreshAt(own, "youtube", refreshToken))
  expect(await attempt()).toBe(accepted)
  await own.client.advanceClock(dayMs)
  expect(await attempt()).toBe(refused)
  await own.client.reset()
  const again = await own.client.grant("tester", "youtube", { authorizedAt: daysAgo(8) })
  expect(await refusalOf(refreshAt(own, "youtube", again.refreshToken))).toBe(refused)
  await own.close()
})

import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import { clear, hour, now, settle } from "./population.ts"
import { awake, Objects, runNow } from "./run.ts"

beforeEach(clear)

describe("A run that may make only so many subrequests", () => {
  const names = Array.from({ length: 30 }, (_, index) => `person-${String(index).padStart(2, "0")}`)
  const settings = { requestLimit: 12, pageSize: 10, concurrency: 1 }

  it("stops, and the next goes on from there, though nobody before could be woken", async () => {
    await settle(names.map((id) => ({ id, expectedBy: now - hour })))
    const objects = new Objects(() => Promise.reject(Object.assign(new Error("gone"), { retryable: false })))
    const first = await runNow(objects, { settings })
    expect(first).toMatchObject({ isComplete: false, stoppedAfter: expect.any(String) })
    for (let runs = 0; runs < 12; runs++) await runNow(objects, { settings })
    expect(new Set(objects.tried)).toEqual(new Set(names))
  })

  it("begins anew after one that got to the end, and wakes nobody twice who was heard from", async () => {
    await settle(names.map((id) => ({ id, expectedBy: now - hour })))
    const report = env.DB.prepare("UPDATE durable_object_status SET expected_by = ?2 WHERE user_id = ?1")
    const objects = new Objects(async (userId) => {
      await report.bind(userId, now + hour).run()
      return awake
    })
    for (let runs = 0, isComplete = false; !isComplete; runs++) {
      expect(runs).toBeLessThan(10)
      const figures = await runNow(objects, { settings })
      isComplete = figures.isComplete
      expect(figures.stoppedAfter === null).toBe(isComplete)
    }
    expect(objects.tried).toEqual(names)
  })
})

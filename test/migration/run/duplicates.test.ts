import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, expect, it } from "vitest"
import { UserId } from "../../../src/domain/user.ts"
import { stepServices } from "../../../src/migration/run/stepServices.ts"
import { findDuplicates } from "../../../src/migration/run/survey.ts"
import { aimAt, begin, bindings, cancel, resume } from "../driver.ts"

const people = 10_500

/** People who have the same grant, two and two or by themselves: more than any list of them should have. */
const insertTwins = ({ atOnce = 2 } = {}) =>
  env.DB.prepare(
    `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, access_token, refresh_token, expires_at, generation)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     SELECT 'twin-' || printf('%05d', i), 'spotify', 1, 'connected', 1, 'access', 'refresh-' || (i / CAST(?2 AS INTEGER)), 1, 1 FROM n`,
  )
    .bind(people, atOnce)
    .run()

afterEach(() => env.DB.exec("DELETE FROM user_accounts WHERE user_id GLOB 'twin-*'"))

it("However many people have a grant that somebody else has too, a run knows them all, and keeps no list of them in a step", async () => {
  await insertTwins()
  const run = await begin({ people: [UserId.make("nobody")] })
  const found = await Effect.runPromise(findDuplicates(run).pipe(Effect.provide(stepServices(bindings))))
  await cancel(run)
  // The first and the last have no twin.
  expect(found).toBe(people - 2)
  expect(JSON.stringify(found).length).toBeLessThan(10)
})

it("Looks through everybody's accounts once", async () => {
  await insertTwins({ atOnce: 1 })
  const read: Array<number> = []
  const batch = async <T>(statements: Array<D1PreparedStatement>) => {
    const results = await env.DB.batch<T>(statements)
    read.push(...results.map(({ meta }) => meta.rows_read))
    return results
  }
  const DB = new Proxy(env.DB, {
    get: (target, key) => {
      if (key === "batch") return batch
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  const run = await begin({ people: [UserId.make("nobody")] })
  await Effect.runPromise(findDuplicates(run).pipe(Effect.provide(stepServices({ ...bindings, DB }))))
  await cancel(run)
  // Once in the table, and once sorted by their grants.
  expect(read[1]).toBeLessThan(2.2 * people)
})

it("The last of many is not moved either, and those of a run that is over are forgotten by the next", async () => {
  await insertTwins()
  const last = UserId.make("twin-10499")
  await aimAt("dual_write", [last])
  const figures = await resume(await begin({ people: [last] }))
  expect(figures.progress.failures).toMatchObject([{ reason: "duplicate_account", people: 1 }])
  await resume(await begin({ people: [last] }))
  const runs = await env.DB.prepare("SELECT count(DISTINCT run_id) AS runs FROM migration_duplicates").first("runs")
  expect(runs).toBe(1)
})

import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import { PersonInMove } from "../object/personInMove.ts"
import { aimAt, move, rollBack } from "./driver.ts"

const hour = 3_600_000

beforeEach(async () => {
  await env.DB.batch(
    ["user_accounts", "token_migration_status", "migration_runs", "feature_flags"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )
})

const change = (id: string, set: string, ...values: ReadonlyArray<number>) =>
  env.DB.prepare(`UPDATE user_accounts SET ${set} WHERE user_id = ?1`)
    .bind(id, ...values)
    .run()

const inDatabase = (id: string) =>
  env.DB.prepare("SELECT state, refusals, refresh_retry_at AS retryAt FROM user_accounts WHERE user_id = ?1")
    .bind(id)
    .first()

const inObject = async (ada: PersonInMove) => {
  const [row] = await ada.sql(
    "SELECT refusals, refused_retry_at AS refusedRetryAt, refresh_limited_until AS limitedUntil FROM tokens",
  )
  return row
}

const moved = async (set: string, ...values: ReadonlyArray<number>) => {
  const ada = new PersonInMove()
  await ada.hasInDatabase("spotify")
  await change(ada.id, set, ...values)
  await aimAt("live", [ada.id])
  await move({ people: [ada.id] })
  return ada
}

describe("How the token endpoint has answered", () => {
  it.each([1, 2])(
    "goes with a grant that was refused %i times, which is tried again when it was to be",
    async (refusals) => {
      const retryAt = Date.now() + 20 * hour
      const state = "reauthorization_required"
      const ada = await moved(`state = '${state}', refusals = ?2, refresh_retry_at = ?3`, refusals, retryAt)
      expect(await ada.account("spotify")).toMatchObject({ state, holder: "object" })
      expect(await inObject(ada)).toEqual({ refusals, refusedRetryAt: retryAt, limitedUntil: null })
      expect((await ada.status()).alarmAt).toBeLessThanOrEqual(retryAt)
      await change(ada.id, "refusals = 0, refresh_retry_at = NULL")
      await rollBack({ to: "off", people: [ada.id] })
      expect(await inDatabase(ada.id)).toEqual({ state, refusals, retryAt })
    },
  )

  it("goes with a grant that is given up", async () => {
    const ada = await moved("state = 'reauthorization_required', refusals = 3")
    expect(await inObject(ada)).toEqual({ refusals: 3, refusedRetryAt: null, limitedUntil: null })
    await rollBack({ to: "off", people: [ada.id] })
    expect(await inDatabase(ada.id)).toMatchObject({ refusals: 3, retryAt: null })
  })

  it("goes with a grant that is in use: a pause that it asked for holds on the other side too", async () => {
    const retryAt = Date.now() + hour
    const ada = await moved("refresh_retry_at = ?2", retryAt)
    expect(await inObject(ada)).toEqual({ refusals: 0, refusedRetryAt: null, limitedUntil: retryAt })
    await change(ada.id, "refresh_retry_at = NULL")
    await rollBack({ to: "off", people: [ada.id] })
    expect(await inDatabase(ada.id)).toEqual({ state: "connected", refusals: 0, retryAt })
  })
})

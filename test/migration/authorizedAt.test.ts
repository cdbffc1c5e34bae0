import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { beforeEach, describe, expect, it } from "vitest"
import { type Stage, stages } from "../../src/domain/stage.ts"
import { GrantsMapping } from "../../src/migration/api/mapping.ts"
import { Database } from "../../src/migration/Database.ts"
import { readMetrics } from "../../src/migration/readMetrics.ts"
import { Tables } from "../../src/migration/table/Tables.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { aimAt, move, rollBack } from "./driver.ts"

const day = 24 * 3_600_000
const week = 7 * day
const lifetimeMs = 181 * day

beforeEach(async () => {
  await env.DB.batch(
    ["user_accounts", "token_migration_status", "migration_runs", "feature_flags"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )
})

const authorized = (id: string, at: number | null) =>
  env.DB.prepare("UPDATE user_accounts SET authorized_at = ?2 WHERE user_id = ?1").bind(id, at).run()

const authorizedAtOf = (id: string) =>
  env.DB.prepare("SELECT authorized_at FROM user_accounts WHERE user_id = ?1").bind(id).first("authorized_at")

describe("When a grant was authorized", () => {
  it.each(stages.filter((stage) => stage !== "off"))(
    "is known at %s as it was before, and after the way back; unknown stays unknown",
    async (stage: Stage) => {
      const [ada, grace] = [new PersonInMove(), new PersonInMove()]
      const authorizedAt = Date.now() - 120 * day
      for (const person of [ada, grace]) await person.hasInDatabase("spotify")
      await authorized(ada.id, authorizedAt)
      await aimAt(stage, [ada.id, grace.id])
      await move({ people: [ada.id, grace.id] })
      expect(await ada.account("spotify")).toMatchObject({ authorizedAt, reconnectBy: authorizedAt + lifetimeMs })
      expect(await grace.account("spotify")).toMatchObject({ authorizedAt: null, reconnectBy: null })
      expect(await ada.sql("SELECT authorized_at AS at FROM tokens")).toEqual([{ at: authorizedAt }])
      await ada.refreshTokens({ force: true })
      await rollBack({ to: "off", people: [ada.id, grace.id] })
      expect([await authorizedAtOf(ada.id), await authorizedAtOf(grace.id)]).toEqual([authorizedAt, null])
    },
  )

  it.each<Stage>(["live", "complete"])("comes back from %s as the object has it, whatever D1 says", async (stage) => {
    const ada = new PersonInMove()
    await ada.hasInDatabase("spotify")
    const authorizedAt = Date.now() - 120 * day
    await authorized(ada.id, authorizedAt)
    await aimAt(stage, [ada.id])
    await move({ people: [ada.id] })
    await authorized(ada.id, 1)
    await rollBack({ to: "off", people: [ada.id] })
    expect(await authorizedAtOf(ada.id)).toBe(authorizedAt)
  })

  it("is written back with the tokens on the way from complete to rampdown", async () => {
    const ada = new PersonInMove()
    await ada.hasInDatabase("spotify")
    const authorizedAt = Date.now() - 120 * day
    await authorized(ada.id, authorizedAt)
    await aimAt("complete", [ada.id])
    await move({ people: [ada.id] })
    await authorized(ada.id, 1)
    await rollBack({ to: "rampdown", people: [ada.id] })
    expect(await authorizedAtOf(ada.id)).toBe(authorizedAt)
  })

  it("comes from the column of an old table that the mapping names; empty is unknown, and nonsense is refused", async () => {
    await env.DB.batch([
      env.DB.prepare("CREATE TABLE old_grants (owner, access, refresh, ends, consented)"),
      env.DB.prepare(
        `INSERT INTO old_grants VALUES ('ada', 'a', 'r', 1900000000, 1790000000), ('grace', 'b', 's', 1900000000, NULL),
           ('alan', 'c', 't', 1900000000, 'yesterday')`,
      ),
    ])
    const mapping = Schema.decodeUnknownSync(GrantsMapping)({
      table: "old_grants",
      columns: {
        ...{ userId: "owner", accessToken: "access", refreshToken: "refresh", expiresAt: "ends" },
        authorizedAt: "consented",
      },
      provider: "spotify",
      timestamps: "seconds",
    })
    const { examples, imported } = await Effect.gen(function* () {
      const tables = yield* Tables
      const checked = yield* tables.check(mapping)
      return { examples: checked.examples, imported: yield* tables.importRows(mapping, {}) }
    }).pipe(Effect.provide(Tables.layer({ DB: env.DB })), Effect.provide(Database.layer(env.DB)), Effect.runPromise)
    expect(examples.map(({ authorizedAt }) => authorizedAt)).toEqual(["2026-09-21T14:13:20.000Z", null])
    expect(imported).toMatchObject({ taken: 2, refused: [{ reason: "unreadable_time" }] })
    expect([await authorizedAtOf("ada"), await authorizedAtOf("grace")]).toEqual([1_790_000_000_000, null])
  })
})

it("The metrics count by week the grants that end, those that have ended, and those of unknown age", async () => {
  const now = 1_800_000_000_000
  const ends: ReadonlyArray<readonly [string, number | null, string]> = [
    ["this week", now + 6 * day, "connected"],
    ["this week too", now + 1, "connected"],
    ["in the third", now + 2 * week, "connected"],
    ["ended", now - 1, "connected"],
    ["refused already", now + 6 * day, "reauthorization_required"],
    ["unknown", null, "connected"],
  ]
  const insert = env.DB.prepare(
    "INSERT INTO user_accounts (user_id, provider, updated_at, authorized_at, state, holder) VALUES (?1, ?2, 1, ?3, ?4, 'object')",
  )
  await env.DB.batch([
    ...ends.map(([id, end, state]) => insert.bind(id, "spotify", end === null ? null : end - lifetimeMs, state)),
    insert.bind("of Google", "youtube", now, "connected"),
  ])
  const { grants } = await Effect.runPromise(readMetrics(0, now).pipe(Effect.provide(Database.layer(env.DB))))
  expect(grants).toEqual({
    ending: [
      { provider: "spotify", from: now, grants: 2 },
      { provider: "spotify", from: now + 2 * week, grants: 1 },
    ],
    ended: [{ provider: "spotify", grants: 1 }],
    ofUnknownAge: [{ provider: "spotify", grants: 1 }],
  })
})

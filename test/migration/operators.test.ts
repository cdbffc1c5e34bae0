import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import example from "../../docs/mapping.example.json"
import type { Stage } from "../../src/domain/stage.ts"
import { GrantsMapping } from "../../src/migration/api/mapping.ts"
import { Database } from "../../src/migration/Database.ts"
import type { MigrationEnv } from "../../src/migration/env.ts"
import { makeMigration } from "../../src/migration/makeMigration.ts"
import { verify } from "../../src/migration/people/verify.ts"
import { PageSettings } from "../../src/migration/person/PageSettings.ts"
import { readMetrics } from "../../src/migration/readMetrics.ts"
import { stepServices } from "../../src/migration/run/stepServices.ts"
import { Tables } from "../../src/migration/table/Tables.ts"
import { countOperations, type OperationCount } from "../../src/move/tokenOperations.ts"
import { simulator } from "../object/person.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { aimAt, bindings, move, positionOf } from "./driver.ts"

const recordRun = (at: number, kind: string, figures: object) =>
  env.DB.prepare("INSERT INTO durable_object_metrics (at, kind, figures) VALUES (?1, ?2, ?3)")
    .bind(at, kind, JSON.stringify(figures))
    .run()

const report = (userId: string, operations: ReadonlyArray<object>) =>
  env.DB.prepare(
    `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, sources, failing_sources, accounts, operations)
     VALUES (?1, '', 1, 0, 0, '[]', ?2)`,
  )
    .bind(userId, JSON.stringify(operations))
    .run()

const read = (
  source: OperationCount["source"],
  outcome: string,
  count: number,
  totalMs: number,
  slowestMs: number,
) => ({
  ...({ operation: "read", source, outcome } as const),
  ...{ count, totalMs, slowestMs },
})

it("Both ways stand side by side: what cron's runs took, and who answered for tokens", async () => {
  await recordRun(900, "legacy_run", { found: 99, failed: 99, durationMs: 99_000, isComplete: true })
  await recordRun(1000, "legacy_run", { found: 5, failed: 1, durationMs: 100, isComplete: true })
  await recordRun(1001, "legacy_run", { found: 7, failed: 0, durationMs: 300, isComplete: false })
  await recordRun(1002, "cron_run", { found: 2, failed: 0, durationMs: 20, isComplete: true })
  await countOperations(env.DB, 1, [read("database", "ok", 1, 10, 10), read("mirror", "ok", 1, 4, 4)]).run()
  await countOperations(env.DB, 2, [read("database", "ok", 2, 50, 30)]).run()
  const of = (count: number, totalMs: number, slowestMs: number) => ({ count, totalMs, slowestMs })
  await report("ada", [{ operation: "read", outcome: "ok", ...of(4, 40, 15) }])
  await report("grace", [
    { operation: "read", outcome: "ok", ...of(1, 10, 10) },
    { operation: "refresh", outcome: "GrantRefused", ...of(1, 7, 7) },
  ])

  const { cron, tokens } = await Effect.runPromise(readMetrics(1000, 1000).pipe(Effect.provide(Database.layer(env.DB))))
  expect(cron.legacy).toMatchObject({
    ...{ runs: 2, incomplete: 1, lastAt: 1001, averageMs: 200, slowestMs: 300, totalMs: 400, people: 12, failed: 1 },
    last: { found: 7 },
  })
  expect(cron.objects).toMatchObject({
    runs: 1,
    incomplete: 0,
    averageMs: 20,
    totalMs: 20,
    people: 2,
    last: { found: 2 },
  })
  const told = tokens.map(({ operation, source, outcome, ...figures }) => [
    `${source} ${operation} ${outcome}`,
    figures,
  ])
  expect(Object.fromEntries(told)).toEqual({
    "database read ok": { count: 3, averageMs: 20, slowestMs: 30 },
    "mirror read ok": { count: 1, averageMs: 4, slowestMs: 4 },
    "object read ok": { count: 5, averageMs: 10, slowestMs: 15 },
    "object refresh GrantRefused": { count: 1, averageMs: 7, slowestMs: 7 },
  })
})

const withTables = <A, E>(program: (tables: Tables["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(Tables, program).pipe(
    Effect.provide(Tables.layer({ DB: env.DB })),
    Effect.provide(Database.layer(env.DB)),
    Effect.runPromise,
  )

const decodeMapping = Schema.decodeUnknownSync(GrantsMapping)

describe("A table of another shape", () => {
  const moment = "2030-03-17T17:46:40.000Z"
  const columns = { userId: "owner", accessToken: "access", refreshToken: "refresh", expiresAt: "ends" }

  it.each<readonly [GrantsMapping["timestamps"], string | number, string]>([
    ["seconds", 1_900_000_000, moment],
    ["seconds", "1900000000", moment],
    ["seconds", 1_900_000_000_000, "unreadable_time"],
    ["milliseconds", 1_900_000_000_000, moment],
    ["milliseconds", 1_900_000_000, "unreadable_time"],
    ["iso", moment, moment],
    ["iso", "2030-03-17 17:46:40", moment],
    ["iso", "2030-03-17T19:46:40+02:00", moment],
    ["iso", "2030-03-17", "2030-03-17T00:00:00.000Z"],
    ["iso", "tomorrow", "unreadable_time"],
    ["iso", 1_900_000_000, "unreadable_time"],
  ])("whose times are %s has %j understood as %s", async (timestamps, ends, expected) => {
    await env.DB.batch([
      env.DB.prepare("CREATE TABLE IF NOT EXISTS old_times (owner, access, refresh, ends)"),
      env.DB.prepare("DELETE FROM old_times"),
      env.DB.prepare("INSERT INTO old_times VALUES ('ada', 'a', 'r', ?1)").bind(ends),
    ])
    const mapping = decodeMapping({ table: "old_times", columns, provider: "spotify", timestamps })
    const { examples, refused } = await withTables((tables) => tables.check(mapping))
    expect([...examples.map(({ expiresAt }) => expiresAt), ...refused.map(({ reason }) => reason)]).toEqual([expected])
  })

  it("is taken in as the example declares it, but for rows that are not understood or say two things; never over what is newer", async () => {
    await env.DB.exec(
      "CREATE TABLE oauth_grants (id INTEGER PRIMARY KEY, owner, service, access, refresh, valid_until, scopes, enabled)",
    )
    const rows = [
      [1, "ada", "SPOTIFY", "a1", "r1", moment, "one, two", "yes"],
      [2, "grace", "google-youtube", "a2", "r2", moment, "", "no"],
      [3, "alan", "cassette", "a3", "r3", moment, "", "yes"],
      [4, "edith", "SPOTIFY", "a4", "", moment, "", "yes"],
      [5, "tim", "SPOTIFY", "a5", "r5", moment, "", "yes"],
      [6, "tim", "SPOTIFY", "a6", "r6", moment, "", "yes"],
      [7, null, "SPOTIFY", "a7", "r7", moment, "", "yes"],
    ]
    const insert = env.DB.prepare("INSERT INTO oauth_grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
    await env.DB.batch(rows.map((row) => insert.bind(...row)))
    const mapping = decodeMapping(example)
    const importRows = () => withTables((tables) => tables.importRows(mapping, {}))
    const first = await importRows()
    expect(first).toMatchObject({ read: 7, taken: 2, kept: 0, next: null })
    expect(first.refused.map(({ key, reason }) => [key, reason]).toSorted()).toEqual([
      [3, "unknown_provider"],
      [4, "no_refresh_token"],
      [5, "duplicate_account"],
      [6, "duplicate_account"],
      [7, "no_user"],
    ])
    const taken = async () =>
      (await env.DB.prepare("SELECT * FROM user_accounts WHERE user_id IN ('ada', 'grace') ORDER BY user_id").all())
        .results
    const asTaken = { holder: "database", epoch: 1, expires_at: Date.parse(moment) }
    expect(await taken()).toMatchObject([
      {
        ...asTaken,
        provider: "spotify",
        access_token: "a1",
        refresh_token: "r1",
        scope: "one two",
        state: "connected",
      },
      { ...asTaken, provider: "youtube", access_token: "a2", refresh_token: "r2", scope: "", state: "disconnected" },
    ])
    await env.DB.exec("UPDATE user_accounts SET access_token = 'newer' WHERE user_id = 'ada'")
    const before = await taken()
    expect(await importRows()).toMatchObject({ taken: 0, kept: 2 })
    expect(await taken()).toEqual(before)
  })
})

describe("Verification", () => {
  const verifyPeople = (people: ReadonlyArray<PersonInMove["id"]>, CORE = bindings.CORE) =>
    verify({ people }).pipe(
      Effect.provideService(PageSettings, { lease: "", concurrency: 2, claimWaitMs: 0, onAnswer: Effect.void }),
      Effect.provide(stepServices({ ...bindings, CORE })),
      Effect.runPromise,
    )
  const set = (columns: string) => (person: PersonInMove) =>
    env.DB.prepare(`UPDATE user_accounts SET ${columns} WHERE user_id = ?1`).bind(person.id).run()
  const setCopy = async (person: PersonInMove) =>
    person.importGrant("spotify", await simulator.grant(person.id, "spotify"), { generation: 9 })

  it.each<readonly [string, Stage, string, (person: PersonInMove) => Promise<unknown>]>([
    ["not_the_same", "shadow", "D1 has another grant than the copy", setCopy],
    ["not_the_same", "live", "the two sides know of different epochs", set("epoch = epoch + 1")],
    ["not_the_same", "live", "the mirror is old", set("refresh_token = 'old'")],
    ["held_by_object", "shadow", "both sides hold the account", (person) => person.takeOver("spotify", 1)],
    ["held_by_object", "dual_write", "the row says that the object holds it", set("holder = 'object'")],
    ["not_held_by_object", "live", "neither side holds the account", (person) => person.handBack("spotify", 3)],
    ["not_held_by_object", "complete", "the row says that D1 holds it", set("holder = 'database'")],
    ["seal_broken", "complete", "the grant does not open", (person) => person.sql("UPDATE tokens SET key_id = 'lost'")],
  ])("tells %s at %s, of one of two people: %s", async (reason, stage, _what, spoil) => {
    const [good, bad] = [new PersonInMove(), new PersonInMove()]
    const people = [good.id, bad.id]
    for (const person of [good, bad]) await person.hasInDatabase("spotify")
    await aimAt(stage, people)
    await move({ people })
    expect(await verifyPeople(people)).toMatchObject({ checked: 2, problems: [] })
    await spoil(bad)
    expect(await verifyPeople(people)).toMatchObject({ checked: 2, problems: [{ userId: bad.id, stage, reason }] })
    // Whoever is not as their stage says counts as verified no longer, and is in the way of the drop step.
    expect((await positionOf(bad.id)).verifiedAt).toBeNull()
    expect((await positionOf(good.id)).verifiedAt).toEqual(expect.any(Number))
  })

  it("of somebody whose object does not answer says nothing about them: they were verified when they were", async () => {
    const person = new PersonInMove()
    await person.hasInDatabase("spotify")
    await aimAt("shadow", [person.id])
    await move({ people: [person.id] })
    const { verifiedAt } = await positionOf(person.id)
    const silent = new Proxy(bindings.CORE, {
      get: (core, key) =>
        key === "fingerprintTokens" ? () => Promise.reject(new Error("no answer")) : Reflect.get(core, key),
    })
    expect(await verifyPeople([person.id], silent)).toMatchObject({ problems: [{ reason: "object_unavailable" }] })
    expect((await positionOf(person.id)).verifiedAt).toBe(verifiedAt)
  })

  it("is recorded with each step that ends with one, and is left as it is by a step that fails", async () => {
    const person = new PersonInMove()
    await person.hasInDatabase("spotify")
    await aimAt("dual_write", [person.id])
    await move({ people: [person.id] })
    const { verifiedAt } = await positionOf(person.id)
    expect(verifiedAt).toEqual(expect.any(Number))
    await env.DB.prepare("UPDATE token_migration_status SET verified_at = 1 WHERE user_id = ?1").bind(person.id).run()
    await aimAt("shadow", [person.id])
    await set("refresh_token = ''")(person)
    await move({ people: [person.id] })
    expect(await positionOf(person.id)).toMatchObject({ stage: "dual_write", state: "failed", verifiedAt: 1 })
    await set("refresh_token = 'again'")(person)
    await move({ people: [person.id] })
    expect(await positionOf(person.id)).toMatchObject({ stage: "shadow", state: "migrated" })
    expect((await positionOf(person.id)).verifiedAt).toBeGreaterThan(1)
  })
})

describe("The door", () => {
  const nobody = () => Promise.reject(new Error("there is no Workflow here"))
  const MOVE = { get: nobody, create: nobody, createBatch: nobody, deleteBatch: nobody }
  const knock = (secrets: Partial<MigrationEnv>, credential: string) =>
    makeMigration({ ...bindings, MOVE, ...secrets })(
      new Request("https://pollen.test/v1/flags", { headers: { authorization: `Bearer ${credential}` } }),
    )

  it("opens to a credential of 32 characters", async () => {
    const credential = "x".repeat(32)
    expect((await knock({ ADMIN_TOKEN: credential }, credential)).status).toBe(200)
  })

  const [ada, grace] = ["a".repeat(32), "g".repeat(40)]
  const named = { ADMIN_TOKENS: `ada:${ada}, grace:${grace}`, ADMIN_TOKEN: "x".repeat(32) }

  it.each([
    ["ada", ada],
    ["grace", grace],
    ["admin", named.ADMIN_TOKEN],
  ])("opens to each of the named credentials, and the audit says who: %s", async (name, credential) => {
    const asked = makeMigration({ ...bindings, MOVE, ...named })
    const response = await asked(
      new Request("https://pollen.test/v1/lifts", {
        method: "POST",
        headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
        body: JSON.stringify({ everybody: true }),
      }),
    )
    expect(response.status).toBe(200)
    expect(await env.DB.prepare("SELECT actor FROM operator_actions ORDER BY id DESC LIMIT 1").first("actor")).toBe(
      name,
    )
  })

  it("is shut to what is no credential of anybody's", async () => {
    for (const wrong of [`ada:${ada}`, ada.slice(1), `${ada}a`, `${ada},${grace}`, "ada"]) {
      expect((await knock(named, wrong)).status).toBe(401)
    }
  })

  it.each([
    ["too short a credential", `ada:${"a".repeat(31)}`],
    ["one without a name", "a".repeat(40)],
    ["a name of other characters", `ada lovelace:${"a".repeat(32)}`],
    ["a name twice", `ada:${ada},ada:${grace}`],
    ["the name of ADMIN_TOKEN", `admin:${ada}`],
    ["one credential for two", `ada:${ada},grace:${ada}`],
    ["none", ""],
  ])("is shut to everybody where ADMIN_TOKENS has %s, and shows none", async (_what, ADMIN_TOKENS) => {
    const response = await knock({ ADMIN_TOKENS }, ada)
    expect(response.status).toBe(500)
    const text = await response.text()
    expect(text).toContain("ADMIN_TOKENS")
    expect(text).not.toContain("a".repeat(31))
  })

  it("keeps the description of the API from whoever is not let in", async () => {
    const describe = (credential?: string) =>
      makeMigration({ ...bindings, MOVE, ...named })(
        new Request("https://pollen.test/openapi.json", {
          headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
        }),
      )
    expect((await describe()).status).toBe(401)
    expect((await describe("x")).status).toBe(401)
    const response = await describe(ada)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ paths: { "/v1/runs": { post: expect.anything() } } })
  })

  it.each([
    ["a credential that could be guessed", { ADMIN_TOKEN: "x".repeat(31) }],
    ["no credential", {}],
    ["half of what Access needs", { CF_ACCESS_AUD: "an application" }],
  ])("is shut to everybody where the worker was given %s, and says how to set one", async (_what, secrets) => {
    const response = await knock(secrets, "x".repeat(31))
    expect(response.status).toBe(500)
    expect(await response.text()).toContain("secret put ADMIN_TOKEN")
  })
})

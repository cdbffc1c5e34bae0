import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { GrantsMapping } from "../../../src/migration/api/mapping.ts"
import { Database } from "../../../src/migration/Database.ts"
import { Tables } from "../../../src/migration/table/Tables.ts"

const decodeMapping = Schema.decodeUnknownSync(GrantsMapping)

const withTables = <A, E>(program: (tables: Tables["Service"]) => Effect.Effect<A, E>) =>
  Effect.runPromise(
    Effect.flatMap(Tables, program).pipe(
      Effect.provide(Tables.layer({ DB: env.DB })),
      Effect.provide(Database.layer(env.DB)),
    ),
  )

const hour = 3_600_000
const columns = { userId: "user", accessToken: "access", refreshToken: "refresh", expiresAt: "ends" }
const people = ["ada", "grace", "edith", "alan", "barbara"]

const insert = (row: Record<string, string | number>) => {
  const names = Object.keys(row)
  const values = names.map((_, index) => `?${index + 1}`)
  return env.DB.prepare(`INSERT INTO old_grants (${names.join(", ")}) VALUES (${values.join(", ")})`).bind(
    ...Object.values(row),
  )
}

/** One row a person, and what `check` says against the mapping of them. */
const warned = async (
  change: (userId: string, now: number) => Record<string, string | number>,
  mapped: Record<string, string> = {},
  provider = "youtube",
) => {
  const now = Date.now()
  const ordinary = (user: string) => ({ user, access: `ya29.${user}`, refresh: `1//${user}`, ends: now + hour / 2 })
  await env.DB.batch(people.map((user) => insert({ ...ordinary(user), ...change(user, now) })))
  const mapping = decodeMapping({
    ...{ table: "old_grants", provider, timestamps: "milliseconds" },
    columns: { ...columns, ...mapped },
  })
  const { warnings } = await withTables((tables) => tables.check(mapping))
  return warnings.map(({ column, rows }) => `${column}: ${rows}`)
}

beforeEach(async () => {
  await env.DB.exec(
    "CREATE TABLE old_grants (user, access, refresh, ends, consent, active, spotify_access, spotify_refresh, spotify_ends)",
  )
})
afterEach(async () => {
  await env.DB.exec("DROP TABLE old_grants")
})

describe("A check of a mapping", () => {
  it("has nothing against columns that mean what they are mapped to", async () => {
    const right = (_user: string, now: number) => ({ consent: now - 90 * 24 * hour, active: 1 })
    expect(await warned(right, { authorizedAt: "consent", isActive: "active" })).toEqual([])
  })

  it("warns of the tokens of both kinds changed for each other", async () => {
    expect(await warned(() => ({}), { accessToken: "refresh", refreshToken: "access" })).toEqual([
      "refreshToken: 5",
      "accessToken: 5",
    ])
  })

  it("warns of one column for both tokens", async () => {
    expect(await warned(() => ({ refresh: "x" }), { accessToken: "refresh" })).toEqual([
      "refreshToken: 5",
      "refreshToken: 5",
    ])
  })

  it("warns of a refresh token that two people have", async () => {
    expect(await warned((user) => (["ada", "alan"].includes(user) ? { refresh: "1//same" } : {}))).toEqual([
      "refreshToken: 2",
    ])
  })

  it("warns of an end that is not the access token's", async () => {
    expect(await warned((_user, now) => ({ ends: now + 180 * 24 * hour }))).toEqual(["expiresAt: 5"])
  })

  it("warns of consents that are to come, or that are refreshes", async () => {
    const mapped = { authorizedAt: "consent" }
    expect(await warned((_user, now) => ({ consent: now + 2 * hour }), mapped)).toEqual(["authorizedAt: 5"])
    await env.DB.exec("DELETE FROM old_grants")
    expect(await warned((_user, now) => ({ consent: now - hour / 2 }), mapped)).toEqual(["authorizedAt: 5"])
    await env.DB.exec("DELETE FROM old_grants")
    const oneNew = (user: string, now: number) => ({ consent: now - (user === "ada" ? hour / 2 : 90 * 24 * hour) })
    expect(await warned(oneNew, mapped)).toEqual([])
  })

  it("warns where everybody is inactive", async () => {
    expect(await warned(() => ({ active: "yes" }), { isActive: "active" })).toEqual(["isActive: 5"])
  })
})

it("A table with both providers in a row is imported by a mapping of each, once", async () => {
  const ends = Date.now() + hour
  const spotify = { spotify_access: "BQ", spotify_refresh: "AQ", spotify_ends: ends }
  const youtube = (user: string) => ({ access: "ya29.", refresh: `1//${user}`, ends })
  await env.DB.batch([
    insert({ user: "wide-both", ...youtube("both"), ...spotify }),
    insert({ user: "wide-youtube", ...youtube("one") }),
    insert({ user: "wide-spotify", ...spotify, spotify_refresh: "AQ-one" }),
  ])
  const base = { table: "old_grants", timestamps: "milliseconds" }
  const mappings = [
    { ...base, provider: "youtube", columns, where: [{ column: "refresh", isNot: null }] },
    {
      ...{ ...base, provider: "spotify", where: [{ column: "spotify_refresh", isNot: null }] },
      columns: {
        ...{ userId: "user", accessToken: "spotify_access" },
        ...{ refreshToken: "spotify_refresh", expiresAt: "spotify_ends" },
      },
    },
  ].map((mapping) => decodeMapping(mapping))
  const importAll = () => Promise.all(mappings.map((mapping) => withTables((tables) => tables.importRows(mapping, {}))))
  expect(await importAll()).toMatchObject([
    { taken: 2, refused: [] },
    { taken: 2, refused: [] },
  ])
  expect(await importAll()).toMatchObject([{ taken: 0 }, { taken: 0 }])
  const { results } = await env.DB.prepare(
    "SELECT user_id || ' ' || provider AS account FROM user_accounts WHERE user_id LIKE 'wide-%' ORDER BY 1",
  ).all()
  expect(results.map(({ account }) => account)).toEqual([
    "wide-both spotify",
    "wide-both youtube",
    "wide-spotify spotify",
    "wide-youtube youtube",
  ])
})

import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { Base64 } from "effect/encoding"
import { afterEach, beforeEach, expect, it } from "vitest"
import { GrantsMapping } from "../../../src/migration/api/mapping.ts"
import { Database } from "../../../src/migration/Database.ts"
import { Tables } from "../../../src/migration/table/Tables.ts"
import { newKey } from "../../newKey.ts"

const mapping = Schema.decodeUnknownSync(GrantsMapping)({
  ...{ table: "old_grants", provider: "spotify", timestamps: "milliseconds", decryptor: "aes-256-gcm" },
  columns: { userId: "user", accessToken: "access", refreshToken: "refresh", expiresAt: "ends" },
})
const key = newKey()

const withTables = <A, E>(program: (tables: Tables["Service"]) => Effect.Effect<A, E>, secret: string | undefined) =>
  Effect.runPromise(
    Effect.result(Effect.flatMap(Tables, program)).pipe(
      Effect.provide(Tables.layer({ DB: env.DB, ...(secret === undefined ? {} : { OLD_TOKEN_KEY: secret }) })),
      Effect.provide(Database.layer(env.DB)),
    ),
  )

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

/** As the old system did it. */
const encrypt = async (token: string) => {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const aes = await crypto.subtle.importKey("raw", bytesOf(key), "AES-GCM", false, ["encrypt"])
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, new TextEncoder().encode(token))
  return Base64.encode(new Uint8Array([...iv, ...new Uint8Array(sealed)]))
}

beforeEach(async () => {
  await env.DB.exec("CREATE TABLE old_grants (user, access, refresh, ends)")
  const insert = env.DB.prepare("INSERT INTO old_grants VALUES (?1, ?2, ?3, 1900000000000)")
  const [access, refresh] = await Promise.all([encrypt("plain-access"), encrypt("plain-refresh")])
  await env.DB.batch([
    insert.bind("sealed-ada", access, refresh),
    insert.bind("sealed-grace", access, `${refresh.slice(0, 30)}${refresh.slice(30).split("").reverse().join("")}`),
    insert.bind("sealed-alan", access, "not-encrypted"),
    insert.bind("sealed-edith", access, ""),
  ])
})
afterEach(async () => {
  await env.DB.exec("DROP TABLE old_grants")
})

it("Tokens that an old system encrypted are imported as they were, and what does not open is refused without a word of it", async () => {
  const outcome = await withTables((tables) => tables.importRows(mapping, {}), key)
  expect(outcome).toMatchObject({
    success: {
      taken: 1,
      refused: [
        { key: 2, reason: "not_decrypted" },
        { key: 3, reason: "not_decrypted" },
        { key: 4, reason: "no_refresh_token" },
      ],
    },
  })
  expect(JSON.stringify(outcome)).not.toMatch(/plain-|not-encrypted/)
  const { results } = await env.DB.prepare(
    "SELECT access_token, refresh_token FROM user_accounts WHERE user_id LIKE 'sealed-%'",
  ).all()
  expect(results).toEqual([{ access_token: "plain-access", refresh_token: "plain-refresh" }])
})

it("With another key nothing opens, and check says so", async () => {
  expect(await withTables((tables) => tables.check(mapping), newKey())).toMatchObject({
    success: { understood: 0, refused: [{ detail: "does not open with OLD_TOKEN_KEY" }, {}, {}, {}] },
  })
})

it.each([
  ["no key", undefined],
  ["a key that is none", "secret"],
])("With %s, what to set is said", async (_what, secret) => {
  expect(await withTables((tables) => tables.check(mapping), secret)).toMatchObject({
    failure: { issues: [{ path: "mapping.decryptor", message: expect.stringContaining("OLD_TOKEN_KEY") }] },
  })
})

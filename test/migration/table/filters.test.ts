import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { afterEach, beforeEach, expect, it } from "vitest"
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

const columns = {
  userId: "the owner",
  accessToken: "access-token",
  refreshToken: "refresh-token",
  expiresAt: "ends",
}
const base = { table: "old grants", key: "id", columns, provider: "spotify", timestamps: "milliseconds" }

beforeEach(async () => {
  await env.DB.exec(
    `CREATE TABLE "old grants" (id, "the owner", "access-token", "refresh-token", ends, kind, env, "deleted at", region)`,
  )
  const insert = env.DB.prepare(
    `INSERT INTO "old grants" VALUES (?1, ?2, 'a', 'r' || ?2, 1900000000000, ?3, ?4, ?5, ?6)`,
  )
  await env.DB.batch([
    insert.bind(1, "ada", "user", "live", null, "eu"),
    insert.bind(2, "grace", "user", "live", "2026-01-01", "eu"),
    insert.bind(null, "nobody", "user", "live", null, "eu"),
    insert.bind(null, "nobody-else", "user", "live", null, "eu"),
    insert.bind(3, "robot", "service", "live", null, "us"),
    insert.bind(4, "edith", "user", "test", "", null),
    insert.bind(5, "alan", "user", "live", "", "us"),
  ])
})

afterEach(async () => {
  await env.DB.batch(
    ["DROP VIEW IF EXISTS alive", `DROP TABLE "old grants"`].map((statement) => env.DB.prepare(statement)),
  )
})

const usersIn = async (mapping: object) => {
  const { examples, rows, leftOut } = await withTables((tables) => tables.check(decodeMapping(mapping)))
  expect(rows + leftOut).toBe(7)
  expect(rows).toBe(examples.length)
  return examples.map(({ userId }) => userId)
}

it.each<readonly [object, ReadonlyArray<string>]>([
  [{ where: [{ column: "kind", is: "user" }] }, ["ada", "grace", "edith", "alan"]],
  [{ where: [{ column: "env", isNot: "test" }] }, ["ada", "grace", "robot", "alan"]],
  [{ where: [{ column: "region", is: null }] }, ["edith"]],
  [
    {
      where: [
        { column: "region", isNot: null },
        { column: "kind", is: "user" },
      ],
    },
    ["ada", "grace", "alan"],
  ],
  [{ where: [{ column: "region", isOneOf: ["us", "asia"] }] }, ["robot", "alan"]],
  [{ columns: { ...columns, deletedAt: "deleted at" } }, ["ada", "robot", "edith", "alan"]],
  [{}, ["ada", "grace", "robot", "edith", "alan"]],
])("A mapping reads the rows that it means, and no row without a key: %j", async (change, users) => {
  expect(await usersIn({ ...base, ...change })).toEqual(users)
})

it("A view is read like a table, by a key of its own", async () => {
  await env.DB.exec(`CREATE VIEW alive AS SELECT * FROM "old grants" WHERE kind = 'user'`)
  const { examples } = await withTables((tables) => tables.check(decodeMapping({ ...base, table: "alive" })))
  expect(examples.map(({ userId }) => userId)).toEqual(["ada", "grace", "edith", "alan"])
})

it("Rows without a key end no page early: everybody behind them is imported", async () => {
  const mapping = decodeMapping({ ...base, columns: { ...columns, deletedAt: "deleted at" } })
  let taken = 0
  let cursor: string | number | null | undefined
  for (let pages = 0; cursor !== null; pages++) {
    expect(pages).toBeLessThan(10)
    const page = await withTables((tables) =>
      tables.importRows(mapping, { limit: 1, ...(cursor === undefined || cursor === null ? {} : { cursor }) }),
    )
    taken += page.taken
    cursor = page.next
  }
  expect(taken).toBe(4)
})

it.each([
  [{ where: [{ column: 'kind" OR 1 --', is: 1 }] }],
  [{ where: [{ column: "kind", is: 1, isNot: 2 }] }],
  [{ where: [{ column: "kind" }] }],
  [{ table: 'x"; DROP TABLE users; --' }],
])("A mapping that could say something else in SQL is refused: %j", (change) => {
  expect(() => decodeMapping({ ...base, ...change })).toThrow()
})

it("A column that a condition names and the table does not have is told by its place in the mapping", async () => {
  const mapping = decodeMapping({ ...base, where: [{ column: "nothing", is: 1 }] })
  const error = await withTables((tables) => Effect.flip(tables.check(mapping)))
  expect(error).toMatchObject({ issues: [{ path: "mapping.where.0.column" }] })
})

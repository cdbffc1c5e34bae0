import { afterEach, expect, it } from "vitest"
import { makeSources, publishInEach, settled } from "./following.ts"
import { simulator } from "./person.ts"

afterEach(() => simulator.clearFaults())

/** The tables as they were before 0015: items with a rowid, an outbox whose ids never come again, tokens without `is_rotated`. */
const before = [
  "DELETE FROM __drizzle_migrations WHERE created_at = (SELECT max(created_at) FROM __drizzle_migrations)",
  "CREATE TABLE old_items (provider text NOT NULL, source_id text NOT NULL, item_id text NOT NULL, published_at integer NOT NULL, seen_at integer NOT NULL, state text NOT NULL, recheck_at integer, PRIMARY KEY(provider, source_id, item_id))",
  "INSERT INTO old_items SELECT * FROM items",
  "DROP TABLE items",
  "ALTER TABLE old_items RENAME TO items",
  "CREATE INDEX items_waiting ON items (provider, recheck_at) WHERE state = 'waiting'",
  "DROP TABLE outbox",
  "CREATE TABLE outbox (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, kind text NOT NULL, body text NOT NULL)",
  "ALTER TABLE tokens DROP COLUMN is_rotated",
]

it("an object of an earlier version keeps what it knows and what it has not delivered yet", async () => {
  const sources = await makeSources("spotify", 3, 5)
  const person = await settled(sources, "spotify")
  const known = await person.sql("SELECT * FROM items ORDER BY item_id")
  for (const statement of before) await person.sql(statement)
  await person.sql(
    "INSERT INTO outbox (id, kind, body) VALUES (7, 'unfollow', ?)",
    JSON.stringify({ provider: "spotify", externalId: "gone" }),
  )
  await person.evict()
  expect(await person.sql("SELECT * FROM items ORDER BY item_id")).toEqual(known)
  expect(await person.sql("SELECT id, kind FROM outbox")).toEqual([{ id: 7, kind: "unfollow" }])
  const published = await publishInEach(sources)
  expect(await person.pollNow()).toMatchObject({ delivered: 3, undelivered: 0 })
  expect((await person.newIds()).toSorted()).toEqual(published.toSorted())
  expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
})

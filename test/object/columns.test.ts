import { expect, expectTypeOf, it } from "vitest"
import { items, subscriptions } from "../../schema/object.ts"
import { columns, type RowOf } from "../../src/object/columns.ts"
import { Person } from "./person.ts"

it("Columns chosen from the schema are read under its names, with a number for a boolean", async () => {
  const chosen = columns(subscriptions, "sourceId", "imageUrl", "isCountUnreliable")
  expectTypeOf<RowOf<typeof chosen>>().toEqualTypeOf<{
    readonly sourceId: string
    readonly imageUrl: string | null
    readonly isCountUnreliable: number
  }>()
  const person = new Person()
  await person.sql(
    `INSERT INTO subscriptions (provider, source_id, title, url, followed_at, is_count_unreliable, verify_at, interval_ms, due_at)
     VALUES ('spotify', 'show', '', '', 0, 1, 0, 0, 0)`,
  )
  const row = { sourceId: "show", imageUrl: null, isCountUnreliable: 1 }
  expect(await person.sql(`SELECT ${chosen.sql} FROM subscriptions`)).toEqual([row])
  expect(await person.sql(`SELECT ${chosen.json} AS json FROM subscriptions`)).toEqual([{ json: JSON.stringify(row) }])
  expect(columns(items, "recheckAt").sql).toBe("recheck_at AS recheckAt")
})

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { afterEach, expect, it } from "vitest"
import { makeSources, publishInEach, settled } from "../following.ts"
import type { Person } from "../person.ts"

let stop = () => {}
afterEach(() => stop())

/** Counts the rows that are written to the object's SQLite while something is done, as the platform bills them. */
const rowsWritten = async (person: Person, work: () => Promise<unknown>) => {
  const cursors: Array<SqlStorageCursor<Record<string, SqlStorageValue>>> = []
  await runInDurableObject(person.stub, (_object, { storage }) => {
    const prototype: SqlStorage = Object.getPrototypeOf(storage.sql)
    const original = prototype.exec
    const exec = function (this: SqlStorage, ...given: Parameters<SqlStorage["exec"]>) {
      const cursor = original.apply(this, given)
      cursors.push(cursor)
      return cursor
    }
    Object.assign(prototype, { exec })
    stop = () => Object.assign(prototype, { exec: original })
  })
  await work()
  return cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0)
}

const alarmed = (person: Person) => () => runDurableObjectAlarm(person.stub)

/** Somebody with 20 shows and 20 channels, which are due to be looked at. */
const withAllDue = async () => {
  const sources = [...(await makeSources("spotify", 20)), ...(await makeSources("youtube", 20))]
  const person = await settled(sources, "spotify", "youtube")
  await person.becomesDue()
  await runInDurableObject(person.stub, (_object, { storage }) => storage.setAlarm(Date.now() + 60_000))
  return { person, published: [sources[0] ?? "", sources[20] ?? ""] }
}

it("A poll that finds nothing writes a row for each account", async () => {
  const { person } = await withAllDue()
  expect(await rowsWritten(person, alarmed(person))).toBe(2)
  expect(await person.sql("SELECT asked FROM polls WHERE trigger = 'alarm'")).toEqual([])
})

it("A poll that finds something is remembered", async () => {
  const { person, published } = await withAllDue()
  await publishInEach(published)
  await alarmed(person)()
  expect(await person.sql("SELECT asked, items_found AS found FROM polls WHERE trigger = 'alarm'")).toEqual([
    { asked: 1, found: 1 },
    { asked: 1, found: 1 },
  ])
})

import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  dropTables,
  feed,
  feedOf,
  follows,
  grants,
  histories,
  importAll,
  makeTables,
  withHistory,
} from "../migration/table/oldTables.ts"
import { simulator } from "../object/person.ts"
import { run } from "./people.ts"

beforeEach(makeTables)
afterEach(dropTables)

describe.each(histories)("what people follow and have got, imported from old tables: %j", (history) => {
  it("brings nobody a backfill by the legacy poller, and everything that comes after", async () => {
    const { ada, source, known } = await withHistory(history)
    await importAll(feed, follows, grants)
    expect(await feedOf(ada.id)).toEqual(known.toSorted())
    expect(await run({ at: simulator })).toMatchObject({ polled: 1, items: 0, failed: 0 })
    const fresh = (await simulator.publish(source, 2)).map(({ id }) => id)
    expect(await run({ at: simulator })).toMatchObject({ polled: 1, items: 2 })
    expect(await feedOf(ada.id)).toEqual([...known, ...fresh].toSorted())
  })
})

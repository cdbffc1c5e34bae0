import { Clock, Effect } from "effect"
import { askDatabase } from "../domain/database.ts"
import { FeedDatabase } from "../object/delivery/Outbox.ts"
import { Store } from "../object/Store.ts"
import { provider } from "./Hub.ts"
import { learnedRhythm } from "./rhythms.ts"
import * as statements from "./statements.ts"

/** How long a count of followers is believed, in milliseconds. */
const countedForMs = 24 * 3_600_000

interface Count extends Readonly<Record<string, unknown>> {
  readonly sourceId: string
  readonly followers: number
}

/**
 * Counts once a day who follows the sources, and lets go of those that nobody follows any more. Where D1 cannot say, all stay. One that
 * somebody's object asked for meanwhile stays too: D1 may have been read before that person followed.
 */
export const countFollowers = Effect.fnUntraced(function* (sources: ReadonlyArray<statements.HubSource>) {
  const store = yield* Store
  const database = yield* FeedDatabase
  const now = yield* Clock.currentTimeMillis
  const due = sources.filter(({ countedAt }) => countedAt <= now - countedForMs)
  if (due.length === 0) return
  const ids = JSON.stringify(due.map(({ sourceId }) => sourceId))
  const { results } = yield* askDatabase("count followers", () =>
    database.prepare(statements.countFollowers).bind(ids, provider).all<Count>(),
  )
  const followers = new Map(results.map((row) => [row.sourceId, row.followers]))
  yield* store.transaction(() => {
    for (const { sourceId, askedAt } of due) {
      const count = followers.get(sourceId) ?? 0
      if (count === 0 && askedAt <= now - countedForMs) {
        for (const statement of statements.deleteSource) store.exec(statement, sourceId)
        continue
      }
      store.exec(statements.recordCount, sourceId, Math.max(1, count), now, learnedRhythm(store, sourceId, now))
    }
  })
})

import { and, eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { items, subscriptions } from "../../../schema/object.ts"
import type { Provider } from "../../domain/provider.ts"
import { hasSameDetails, type Source } from "../../domain/subscription.ts"
import { followRow, sourceRow, unfollowRow } from "../../feed/rows.ts"
import type { ProviderClient } from "../../providers/provider.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import { readLibrary, savePages } from "./libraryPages.ts"
import { nextLibraryAt } from "./rhythm.ts"
import * as statements from "./statements.ts"

type StoreShape = Store["Service"]

const enqueue = ({ exec }: StoreShape, kind: "source" | "follow" | "unfollow", row: object) =>
  exec(statements.enqueue, kind, JSON.stringify(row))

/** Writes down a source that the person has begun to follow. */
const follow = (
  store: StoreShape,
  provider: Provider,
  { itemCount, ...source }: Source,
  { now, intervalMs }: { readonly now: number; readonly intervalMs: number },
) => {
  const schedule = { followedAt: now, recheckDueAt: now, dueAt: now, intervalMs }
  store.db
    .insert(subscriptions)
    .values({ provider, ...source, listedCount: itemCount, ...schedule })
    .onConflictDoNothing()
    .run()
  enqueue(store, "source", sourceRow(provider, source.sourceId, source, now))
  enqueue(store, "follow", followRow(provider, source.sourceId, now))
}

/** Deletes a source that the person no longer follows, with everything known of it. */
const unfollow = (store: StoreShape, provider: Provider, sourceId: string) => {
  for (const table of [subscriptions, items]) {
    store.db
      .delete(table)
      .where(and(eq(table.provider, provider), eq(table.sourceId, sourceId)))
      .run()
  }
  enqueue(store, "unfollow", unfollowRow(provider, sourceId))
}

/**
 * Tells whether the library has listed nothing for at least an interval, and notes when that began. A library has been empty in passing,
 * and whoever believes it drops the cursors of everything that is followed.
 */
const isEmptyForLong = (
  store: StoreShape,
  provider: Provider,
  { now, minimumMs }: { readonly now: number; readonly minimumMs: number },
): boolean => {
  const [noted] = store.rows<{ emptiedAt: number }>(statements.selectEmptiedAt, provider)
  if (noted === undefined) store.exec(statements.recordEmptied, provider, now)
  return noted !== undefined && now - noted.emptiedAt >= minimumMs
}

/**
 * Brings the object's subscriptions up to what the person follows now. Where no source is to be asked then, that is recorded as the end
 * of the pass; returns whether it was.
 */
export const synchronise = Effect.fn("library.synchronise")(function* (client: ProviderClient) {
  const store = yield* Store
  const settings = yield* Settings
  const { provider } = client
  const { pages, sources, missing, isEmptied } = yield* readLibrary(client)
  const now = yield* Clock.currentTimeMillis
  const { minimumMs, maximumMs } = settings.bounds

  return yield* store.transaction(() => {
    // Disconnected or handed back while the library was read: nothing of it is followed here any more.
    if (store.rows(statements.selectPolled, provider).length === 0) return false
    const rows = store.rows<statements.FollowedSource>(statements.selectFollowed, provider)
    const known = new Map(rows.map((row) => [row.sourceId, row]))
    const changed: Array<Source> = []
    for (const source of sources) {
      const before = known.get(source.sourceId)
      if (before === undefined) {
        follow(store, provider, source, { now, intervalMs: maximumMs })
        continue
      }
      const isRenamed = !hasSameDetails(source, before)
      if (isRenamed || before.listedCount !== source.itemCount) changed.push(source)
      if (isRenamed) enqueue(store, "source", sourceRow(provider, source.sourceId, source, now))
    }
    const isBelieved = !isEmptied || (missing.size > 0 && isEmptyForLong(store, provider, { now, minimumMs }))
    if (isBelieved) {
      store.exec(statements.forgetEmptied, provider)
      for (const sourceId of known.keys()) if (missing.has(sourceId)) unfollow(store, provider, sourceId)
    }

    if (changed.length > 0) store.exec(statements.updateListed, provider, JSON.stringify(changed))

    if (isBelieved) savePages(store, provider, pages)
    const isOver = store.rows(statements.selectIsAnyPending, provider, now).length === 0
    if (isOver) {
      const [account] = store.rows<statements.AccountInPass>(statements.selectAccount, provider)
      store.exec(
        statements.endIdlePass,
        ...[provider, now, nextLibraryAt(account?.rhythm ?? null, now, settings.bounds)],
      )
    } else store.exec(statements.endLibrary, provider, now)
    return isOver
  })
})

/** Reads which sources wait to be asked. A failing one waits for its retry, unless the caller `isImpatient`. */
export const pendingSources = Effect.fnUntraced(function* (
  provider: Provider,
  { isImpatient }: { readonly isImpatient: boolean },
) {
  const { rows } = yield* Store
  const now = yield* Clock.currentTimeMillis
  return rows<statements.PendingSource>(
    statements.selectPending,
    ...[provider, now, isImpatient ? Number.MAX_SAFE_INTEGER : now],
  )
})

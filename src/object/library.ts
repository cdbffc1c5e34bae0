import { and, asc, eq, inArray, lte, or, sql } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, items, libraryPages, outbox, subscriptions } from "../../schema/object.ts"
import { jitterFraction } from "../domain/interval.ts"
import type { Provider } from "../domain/provider.ts"
import type { Source } from "../domain/subscription.ts"
import { cut, longestTitle } from "../domain/text.ts"
import type { PageRequest, ProviderClient } from "../providers/provider.ts"
import { Grants } from "./grants.ts"
import { isPolled } from "./schedule.ts"
import { Settings } from "./settings.ts"
import { Store } from "./store.ts"

/** A library of more pages than this (10,000 sources) is a provider gone mad. */
const pagesAtMost = 200

interface ListedPage {
  readonly key: string
  readonly etag: string | null
  readonly next: string | null
  readonly size: number
  readonly total: number | null
  readonly sourceIds: ReadonlyArray<string>
  /** `null` when the page has not changed. */
  readonly sources: ReadonlyArray<Source> | null
}

/** Reads the library, page by page; a page that has not changed comes from the object's own memory. */
const readPages = Effect.fnUntraced(function* (client: ProviderClient) {
  const { db } = yield* Store
  const grants = yield* Grants
  const { provider } = client
  const pages: Array<ListedPage> = []
  let key: string | null = null
  do {
    const known = db
      .select()
      .from(libraryPages)
      .where(and(eq(libraryPages.provider, provider), eq(libraryPages.pageKey, key ?? "")))
      .get()
    const request: PageRequest = { key, etag: known?.etag ?? null }
    const page = yield* grants.withToken(provider, (token) => client.library(token, request))
    const listed: ListedPage =
      page.isModified || known === undefined
        ? {
            key: key ?? "",
            etag: page.isModified ? page.etag : null,
            next: page.isModified ? page.next : null,
            size: page.isModified ? page.size : 0,
            total: page.isModified ? page.total : null,
            sourceIds: page.isModified ? page.entries.map(({ externalId }) => externalId) : [],
            sources: page.isModified ? page.entries : [],
          }
        : {
            key: known.pageKey,
            etag: known.etag,
            next: known.nextKey,
            size: known.size,
            total: known.total,
            sourceIds: JSON.parse(known.sourceIds),
            sources: null,
          }
    pages.push(listed)
    key = listed.next
  } while (key !== null && pages.length < pagesAtMost)
  return pages
})

/**
 * Makes the object's subscriptions what the person follows now, and marks those that have to be asked for items: the new ones,
 * those whose item count has changed, and those that are due for a look although it has not.
 */
export const synchronise = Effect.fn("library.synchronise")(function* (client: ProviderClient) {
  const store = yield* Store
  const { db } = store
  const settings = yield* Settings
  const { provider } = client
  const pages = yield* readPages(client)
  const now = yield* Clock.currentTimeMillis
  const { minimumMs, maximumMs } = settings.bounds

  yield* store.transaction(() => {
    const isOurs = and(eq(accounts.provider, provider), isPolled)
    // Disconnected or handed back while the library was read: nothing of it is followed here any more.
    if (db.select({ provider: accounts.provider }).from(accounts).where(isOurs).get() === undefined) return
    const known = new Map(
      db
        .select()
        .from(subscriptions)
        .where(eq(subscriptions.provider, provider))
        .all()
        .map((row) => [row.sourceId, row]),
    )
    const enqueue = (kind: string, body: unknown) =>
      db
        .insert(outbox)
        .values({ kind, body: JSON.stringify(body) })
        .run()

    for (const source of pages.flatMap(({ sources }) => sources ?? [])) {
      const { externalId: sourceId, url, imageUrl, itemCount } = source
      const title = cut(source.title, longestTitle)
      const before = known.get(sourceId)
      if (before === undefined) {
        db.insert(subscriptions)
          .values({
            provider,
            sourceId,
            title,
            url,
            imageUrl,
            followedAt: now,
            listedCount: itemCount,
            verifyAt: now,
            intervalMs: maximumMs,
            dueAt: now,
          })
          .onConflictDoNothing()
          .run()
        enqueue("source", { provider, externalId: sourceId, title, url, imageUrl, at: now })
        enqueue("follow", { provider, externalId: sourceId, at: now })
        continue
      }
      const isRenamed = before.title !== title || before.imageUrl !== imageUrl || before.url !== url
      if (!isRenamed && before.listedCount === itemCount) continue
      db.update(subscriptions)
        .set({ title, url, imageUrl, listedCount: itemCount })
        .where(and(eq(subscriptions.provider, provider), eq(subscriptions.sourceId, sourceId)))
        .run()
      if (isRenamed) enqueue("source", { provider, externalId: sourceId, title, url, imageUrl, at: now })
    }

    // Items that move while offsets are read make a page skip one: only a listing that adds up may take anything away.
    const total = pages.at(-1)?.total ?? null
    const isSteady = pages.every((page) => page.total === total)
    const sourceIds = pages.flatMap((page) => page.sourceIds)
    const listed = new Set(sourceIds)
    const isComplete =
      pages.length < pagesAtMost &&
      isSteady &&
      listed.size === sourceIds.length &&
      (client.isTotalExact ? pages.reduce((sum, { size }) => sum + size, 0) >= (total ?? 0) : listed.size > 0 || !total)
    const gone = isComplete ? [...known.keys()].filter((sourceId) => !listed.has(sourceId)) : []
    for (const sourceId of gone) {
      db.delete(subscriptions)
        .where(and(eq(subscriptions.provider, provider), eq(subscriptions.sourceId, sourceId)))
        .run()
      db.delete(items)
        .where(and(eq(items.provider, provider), eq(items.sourceId, sourceId)))
        .run()
      enqueue("unfollow", { provider, externalId: sourceId })
    }

    const waitingDue = db
      .select({ sourceId: items.sourceId })
      .from(items)
      .where(and(eq(items.provider, provider), eq(items.state, "waiting"), lte(items.recheckAt, now)))
    db.update(subscriptions)
      .set({ isPending: true })
      .where(
        and(
          eq(subscriptions.provider, provider),
          or(
            sql`${subscriptions.listedCount} IS NOT ${subscriptions.itemCount} AND ${subscriptions.state} <> 'gone'`,
            lte(subscriptions.verifyAt, now),
            and(eq(subscriptions.isCountUnreliable, true), lte(subscriptions.dueAt, now)),
            inArray(subscriptions.sourceId, waitingDue),
          ),
        ),
      )
      .run()
    // Whatever does not have to be asked has been looked at now; jitter keeps a million objects apart. Where the count cannot be
    // relied on, the library is no look: such a source keeps the time at which it is due.
    const spread = sql`(1 + ${jitterFraction} * (random() % 1000) / 1000.0)`
    db.update(subscriptions)
      .set({
        dueAt: sql`${now} + CAST(min(${maximumMs}, max(${minimumMs}, ${subscriptions.intervalMs} * ${spread})) AS INTEGER)`,
      })
      .where(
        and(
          eq(subscriptions.provider, provider),
          eq(subscriptions.isPending, false),
          eq(subscriptions.isCountUnreliable, false),
        ),
      )
      .run()

    db.delete(libraryPages).where(eq(libraryPages.provider, provider)).run()
    for (const page of pages) {
      if (page.etag === null) continue
      db.insert(libraryPages)
        .values({
          provider,
          pageKey: page.key,
          etag: page.etag,
          nextKey: page.next,
          size: page.size,
          total: page.total,
          sourceIds: JSON.stringify(page.sourceIds),
        })
        .run()
    }
    db.update(accounts).set({ libraryReadAt: now, passStartedAt: now }).where(eq(accounts.provider, provider)).run()
  })
})

/** The sources that wait to be asked; a failing one only when its retry is due, unless `isImpatient`. */
export const pendingSources = Effect.fnUntraced(function* (provider: Provider, isImpatient: boolean) {
  const { db } = yield* Store
  const now = yield* Clock.currentTimeMillis
  return (
    db
      .select()
      .from(subscriptions)
      .where(
        and(
          eq(subscriptions.provider, provider),
          eq(subscriptions.isPending, true),
          isImpatient ? undefined : or(eq(subscriptions.failures, 0), lte(subscriptions.dueAt, now)),
        ),
      )
      // Longest unseen first: a provider that always asks for silence half-way must not keep the others waiting for ever.
      .orderBy(asc(subscriptions.polledAt))
      .all()
  )
})

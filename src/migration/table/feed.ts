import { Clock, Effect, Result } from "effect"
import { bounded, type Item } from "../../domain/item.ts"
import { itemKind, itemPage } from "../../domain/webPages.ts"
import { itemRow } from "../../feed/rows.ts"
import { feedStatements, insertItems } from "../../feed/statements.ts"
import type { FeedMapping } from "../api/mapping.ts"
import { statement } from "../Database.ts"
import { keyOf, type Row, readId, readOwner, readPast, readTimeIfAny, refusal, textOf } from "./cells.ts"
import { insertUsers, isNotMoved, type OldTable, type Parsed, toIso } from "./OldTable.ts"
import { oddIds } from "./warnings.ts"

/** An item in somebody's feed. */
interface ParsedEntry extends Parsed {
  readonly item: Item
  /** Epoch milliseconds. */
  readonly deliveredAt: number
}

const dayMs = 86_400_000

/** The publication time as pollen has it: Spotify tells the day alone, and an item must not have another time than by a poll. */
const toPublished = (provider: Item["provider"], at: number): Pick<Item, "publishedAt" | "precision"> =>
  provider === "spotify"
    ? { publishedAt: Math.floor(at / dayMs) * dayMs, precision: "day" }
    : { publishedAt: at, precision: "instant" }

const parse = (mapping: FeedMapping, row: Row, now: number) =>
  Result.gen(function* () {
    const { userId, provider } = yield* readOwner(mapping, row)
    const itemId = yield* readId(row["itemId"], "no_item")
    const sourceId = yield* readId(row["sourceId"], "no_source")
    // A date without a time of day may be tomorrow's, somewhere.
    const publishedAt = yield* readPast(row["publishedAt"], mapping.timestamps, now + dayMs)
    const deliveredAt = yield* readTimeIfAny(row["deliveredAt"], mapping.timestamps)
    const title = textOf(row["title"])
    if (title === null) return yield* refusal("no_title", "is empty")
    const parsed: ParsedEntry = {
      ...{ key: keyOf(row), userId, provider },
      deliveredAt: deliveredAt ?? publishedAt,
      item: bounded({
        ...{ provider, itemId, sourceId, kind: itemKind[provider], title },
        description: textOf(row["description"]) ?? "",
        url: textOf(row["url"]) ?? itemPage[provider](itemId),
        imageUrl: textOf(row["imageUrl"]),
        ...toPublished(provider, publishedAt),
        durationMs: null,
        isLive: false,
      }),
    }
    return parsed
  })

const rows = `(SELECT value FROM json_each(?1) WHERE ${isNotMoved})`
const { insertFeed } = feedStatements({ userId: "value->>'userId'", rows })

const countUnknown = `SELECT count(DISTINCT json_array(value->>'userId', value->>'provider', value->>'externalId')) AS unknown
  FROM ${rows} WHERE NOT EXISTS (SELECT 1 FROM feed_items item JOIN user_feed_items entry ON entry.user_id = value->>'userId'
    AND entry.published_at = item.published_at AND entry.provider = item.provider AND entry.external_id = item.external_id
    WHERE item.provider = value->>'provider' AND item.external_id = value->>'externalId')`

/** A table of people's feeds. */
export const feedTable = (mapping: FeedMapping): OldTable<ParsedEntry> => ({
  mapping,
  isOnePerAccount: false,
  read: (row) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Result.mapError(parse(mapping, row, now), (problem) => ({ key: keyOf(row), ...problem })),
    ),
  toJson: ({ userId, item, deliveredAt }) => ({ userId, ...itemRow(item, { isBackfill: false, at: deliveredAt }) }),
  toExample: ({ key, userId, provider, item }) => ({
    ...{ key, userId, provider, itemId: item.itemId, sourceId: item.sourceId, title: item.title },
    publishedAt: toIso(item.publishedAt),
  }),
  write: (text, now) => [
    statement(insertUsers, text, now),
    statement(insertItems, text),
    statement(`${insertFeed} RETURNING user_id`, text),
  ],
  countUnknown,
  warnings: (entries) => [
    ...oddIds("itemId", entries, ({ provider, item }) => [provider, item.itemId]),
    ...oddIds("sourceId", entries, ({ provider, item }) => [provider, item.sourceId]),
  ],
})

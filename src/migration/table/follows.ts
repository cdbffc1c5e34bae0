import { Clock, Effect, Predicate, Result } from "effect"
import { toDetails } from "../../domain/subscription.ts"
import { sourcePage } from "../../domain/webPages.ts"
import type { FollowsMapping } from "../api/mapping.ts"
import { statement } from "../Database.ts"
import {
  isEmpty,
  keyOf,
  type Refusal,
  type Row,
  readId,
  readOwner,
  readPast,
  readTimeIfAny,
  refusal,
  textOf,
} from "./cells.ts"
import { insertUsers, isNotMoved, type OldTable, type Parsed, toIso } from "./OldTable.ts"
import { oddIds } from "./warnings.ts"

/** A source that somebody follows, and where the old poller stopped. Times are epoch milliseconds. */
interface ParsedFollow extends Parsed {
  readonly sourceId: string
  /** `null`: by the time at which it is imported. */
  readonly followedAt: number | null
  /** `null`: never, so that the first poll brings a backfill. */
  readonly polledAt: number | null
  readonly itemCount: number | null
  /** `null`: nobody has described it, and it is shown by its id. */
  readonly title: string | null
  readonly url: string
  readonly imageUrl: string | null
}

const readCount = (value: unknown): Result.Result<number | null, Refusal> => {
  if (isEmpty(value)) return Result.succeed(null)
  const count = Predicate.isString(value) ? Number(value) : value
  return Predicate.isNumber(count) && Number.isSafeInteger(count) && count >= 0
    ? Result.succeed(count)
    : refusal("unreadable_count", "is not a whole number from 0 on")
}

const parse = (mapping: FollowsMapping, row: Row, now: number) => {
  const { timestamps, polledAt: polledAtOfAll } = mapping
  const [polled, format] = polledAtOfAll === undefined ? [row["polledAt"], timestamps] : [polledAtOfAll, "iso" as const]
  return Result.gen(function* () {
    const owner = yield* readOwner(mapping, row)
    const sourceId = yield* readId(row["sourceId"], "no_source")
    const followedAt = yield* readTimeIfAny(row["followedAt"], timestamps)
    const polledAt = isEmpty(polled) ? null : yield* readPast(polled, format, now)
    const itemCount = yield* readCount(row["itemCount"])
    const title = textOf(row["title"])
    const url = textOf(row["url"]) ?? sourcePage[owner.provider](sourceId)
    const details = toDetails({ title: title ?? "", url, imageUrl: textOf(row["imageUrl"]) })
    const parsed: ParsedFollow = {
      ...{ key: keyOf(row), ...owner, sourceId, followedAt, polledAt, itemCount },
      ...details,
      title: title === null ? null : details.title,
    }
    return parsed
  })
}

const insertSources = `INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at)
  SELECT value->>'provider', value->>'sourceId', value->>'title', value->>'url', value->>'imageUrl', ?2
  FROM json_each(?1) WHERE value->>'title' IS NOT NULL ON CONFLICT DO NOTHING`

const insertFollows = `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at, polled_at, item_count)
  SELECT value->>'userId', value->>'provider', value->>'sourceId', coalesce(value->>'followedAt', ?2),
    value->>'polledAt', iif(value->>'polledAt' IS NULL, NULL, value->>'itemCount')
  FROM json_each(?1) WHERE ${isNotMoved} ON CONFLICT DO NOTHING RETURNING user_id`

const countUnknown = `SELECT count(DISTINCT json_array(value->>'userId', value->>'provider', value->>'sourceId')) AS unknown
  FROM json_each(?1) WHERE ${isNotMoved} AND NOT EXISTS (SELECT 1 FROM user_subscriptions follow
    WHERE follow.user_id = value->>'userId' AND follow.provider = value->>'provider' AND follow.external_id = value->>'sourceId')`

/** A table of what people follow. */
export const followsTable = (mapping: FollowsMapping): OldTable<ParsedFollow> => ({
  mapping,
  isOnePerAccount: false,
  read: (row) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Result.mapError(parse(mapping, row, now), (problem) => ({ key: keyOf(row), ...problem })),
    ),
  toJson: ({ key: _key, ...row }) => row,
  toExample: ({ key, userId, provider, sourceId, title, polledAt, itemCount }) => ({
    ...{ key, userId, provider, sourceId, title, itemCount },
    polledAt: polledAt === null ? null : toIso(polledAt),
  }),
  write: (text, now) => [
    statement(insertUsers, text, now),
    statement(insertSources, text, now),
    statement(insertFollows, text, now),
  ],
  countUnknown,
  warnings: (rows) => [
    ...oddIds("sourceId", rows, ({ provider, sourceId }) => [provider, sourceId]),
    ...[
      {
        column: "polledAt",
        rows: rows.filter(({ polledAt }) => polledAt === null).length,
        detail: "are empty: the first poll of each delivers a backfill",
      },
      {
        column: "itemCount",
        rows: rows.filter(({ polledAt, itemCount }) => polledAt !== null && itemCount === 0).length,
        detail: "are 0: the source had nothing when it was polled, so that all that it lists is new. Unknown is empty",
      },
    ].filter((warning) => warning.rows > 0),
  ],
})

import { and, count, eq, gt, lt, lte, max, or, type SQL, type SQLWrapper, sql } from "drizzle-orm"
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Option, Schedule, Schema, Stream } from "effect"
import { durableObjectStatus, userAccounts, users } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

/** How long an account may be without any report of its object: the first one takes a poll, and D1. */
const firstReportMs = 60 * 60 * 1000

/** How often what a run needs to know is asked for again when D1 does not answer. */
export const retries = Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** User ids after one, and up to another (`null`: to the end). */
interface Range {
  readonly after: string
  readonly upTo: string | null
}

/** Whether the object holds an account of the person that meets a condition. One that only keeps a copy of what D1 holds has nothing to do. */
const holds = (userId: SQLWrapper, condition?: SQL) =>
  sql`EXISTS (SELECT 1 FROM ${userAccounts} WHERE ${and(
    eq(userAccounts.userId, userId),
    eq(userAccounts.isActive, true),
    eq(userAccounts.holder, "object"),
    condition,
  )})`

/**
 * Looks at a range of people by the key of the tables, which is the user id, and returns one row. An index by time would be written with
 * every report, to spare reads that cost a thousandth of that (https://developers.cloudflare.com/d1/platform/pricing/). Everybody of whom
 * an object holds an account has a row in `users`. Only of people who are overdue are the accounts read.
 */
const lookAt = (db: DrizzleD1Database, now: number, { after, upTo }: Range, pageSize: number) => {
  const page = db
    .select({
      userId: users.id,
      isKnown: sql<number>`${users.durableObjectId} IS NOT NULL`.as("is_known"),
      isSilent: sql<number>`${durableObjectStatus.userId} IS NULL`.as("is_silent"),
      expectedBy: durableObjectStatus.expectedBy,
    })
    .from(users)
    .leftJoin(durableObjectStatus, eq(durableObjectStatus.userId, users.id))
    .where(and(gt(users.id, after), upTo === null ? undefined : lte(users.id, upTo)))
    .orderBy(users.id)
    .limit(pageSize)
    .as("page")
  const isLate = and(lt(page.expectedBy, now), holds(page.userId))
  const isSilent = and(page.isSilent, page.isKnown, holds(page.userId, lt(userAccounts.updatedAt, now - firstReportMs)))
  return db
    .select({
      /** JSON, in their order. */
      overdue: sql<string>`json_group_array(${page.userId} ORDER BY ${page.userId}) FILTER (WHERE ${or(isLate, isSilent)})`,
      looked: count(),
      last: max(page.userId),
    })
    .from(page)
}

const decodeIds = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.String)))

/** The people whose object should have been heard from, read from D1: one query for so many people, whether they are overdue or not. */
export class Overdue extends Context.Service<
  Overdue,
  {
    /**
     * User ids, in their order: of those whose object is later than it said, and of those who have moved to an object of
     * which nothing was ever heard. `now` is epoch milliseconds, `pageSize` the people that one query looks at. Each looks from after the
     * last person of the one before, so that whoever stays overdue, because their object could not be woken, is not met twice in a run.
     */
    readonly find: (now: number, pageSize: number, range: Range) => Stream.Stream<string, DatabaseUnavailable>
  }
>()("pollen/cron/Overdue") {
  static readonly layer = (database: D1Database): Layer.Layer<Overdue> => {
    const db = drizzle(database)
    return Layer.succeed(Overdue, {
      find: (now, pageSize, { after: start, upTo }) =>
        Stream.paginate(start, (after) =>
          askDatabase("overdue objects", () => lookAt(db, now, { after, upTo }, pageSize)).pipe(
            Effect.retry(retries),
            Effect.flatMap(
              Effect.fnUntraced(function* ([range]) {
                const ids = yield* Effect.orDie(decodeIds(range?.overdue ?? "[]"))
                const isFull = range !== undefined && range.looked >= pageSize
                return [ids, isFull ? Option.fromNullOr(range.last) : Option.none()] as const
              }),
            ),
          ),
        ),
    })
  }
}

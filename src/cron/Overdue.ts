import { and, eq, gt, isNotNull, isNull, lt, lte, or } from "drizzle-orm"
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Option, Schedule, Stream } from "effect"
import { durableObjectStatus, userAccounts, users } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

/** How long an account may be without any report of its object: the first one takes a poll, and D1. */
const firstReportMs = 60 * 60 * 1000

/** How often what a run needs to know is asked for again when D1 does not answer. */
export const retries = Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** An object that only keeps a copy of what D1 holds has nothing to do, and nothing to say. */
const isHeldByObject = and(eq(userAccounts.isActive, true), eq(userAccounts.holder, "object"))

/** User ids after one, and up to another (`null`: to the end). */
interface Range {
  readonly after: string
  readonly upTo: string | null
}

/**
 * By the key of the tables, which is the user id: an index by time would be written with every report, to spare reads that cost a
 * thousandth of that (https://developers.cloudflare.com/d1/platform/pricing/).
 */
const overduePage = (db: DrizzleD1Database, now: number, { after, upTo }: Range, pageSize: number) =>
  db
    .selectDistinct({ userId: userAccounts.userId })
    .from(userAccounts)
    .leftJoin(users, eq(users.id, userAccounts.userId))
    .leftJoin(durableObjectStatus, eq(durableObjectStatus.userId, userAccounts.userId))
    .where(
      and(
        gt(userAccounts.userId, after),
        upTo === null ? undefined : lte(userAccounts.userId, upTo),
        isHeldByObject,
        or(
          lt(durableObjectStatus.expectedBy, now),
          and(
            isNull(durableObjectStatus.userId),
            isNotNull(users.durableObjectId),
            lt(userAccounts.updatedAt, now - firstReportMs),
          ),
        ),
      ),
    )
    .orderBy(userAccounts.userId)
    .limit(pageSize)

/** The people whose object should have been heard from, read from D1. The number of queries grows with the pages alone. */
export class Overdue extends Context.Service<
  Overdue,
  {
    /**
     * User ids, in their order: of those whose object is later than it said, and of those who have moved to an object of
     * which nothing was ever heard. `now` is epoch milliseconds. Each page is read from after the last row of the one
     * before, so that whoever stays overdue, because their object could not be woken, is not met twice in a run.
     */
    readonly find: (now: number, pageSize: number, range: Range) => Stream.Stream<string, DatabaseUnavailable>
  }
>()("pollen/cron/Overdue") {
  static readonly layer = (database: D1Database): Layer.Layer<Overdue> => {
    const db = drizzle(database)
    return Layer.succeed(Overdue, {
      find: (now, pageSize, { after: start, upTo }) =>
        Stream.paginate(start, (after) =>
          askDatabase("overdue objects", () => overduePage(db, now, { after, upTo }, pageSize)).pipe(
            Effect.retry(retries),
            Effect.map((rows) => {
              const ids = rows.map(({ userId }) => userId)
              const last = ids.at(-1)
              const isEnd = ids.length < pageSize || last === undefined
              return [ids, isEnd ? Option.none() : Option.some(last)] as const
            }),
          ),
        ),
    })
  }
}

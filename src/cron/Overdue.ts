import { and, eq, exists, gt, isNotNull, lt, notExists, sql } from "drizzle-orm"
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Option, Schedule, Stream } from "effect"
import { durableObjectStatus, userAccounts, users } from "../../schema/database.ts"
import { toDatabaseUnavailable } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

/** How long an account may be without any report of its object: the first one takes a poll, and D1. */
const firstReportMs = 60 * 60 * 1000

/** How often a page is asked for again when D1 does not answer. */
const retries = Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** Where a page ended, by the key of the order. */
interface Late {
  readonly expectedBy: number
  readonly userId: string
}

/** An object that only keeps a copy of what D1 holds has nothing to do, and nothing to say. */
const isHeldByObject = and(eq(userAccounts.isActive, true), eq(userAccounts.holder, "object"))

const latePage = (db: DrizzleD1Database, now: number, after: Late, pageSize: number) =>
  db
    .select({ userId: durableObjectStatus.userId, expectedBy: sql<number>`${durableObjectStatus.expectedBy}` })
    .from(durableObjectStatus)
    .where(
      and(
        lt(durableObjectStatus.expectedBy, now),
        sql`(${durableObjectStatus.expectedBy}, ${durableObjectStatus.userId}) > (${after.expectedBy}, ${after.userId})`,
        exists(
          db
            .select({ one: sql`1` })
            .from(userAccounts)
            .where(and(eq(userAccounts.userId, durableObjectStatus.userId), isHeldByObject)),
        ),
      ),
    )
    .orderBy(durableObjectStatus.expectedBy, durableObjectStatus.userId)
    .limit(pageSize)

const silentPage = (db: DrizzleD1Database, now: number, after: string, pageSize: number) =>
  db
    .selectDistinct({ userId: userAccounts.userId })
    .from(userAccounts)
    .innerJoin(users, and(eq(users.id, userAccounts.userId), isNotNull(users.durableObjectId)))
    .where(
      and(
        gt(userAccounts.userId, after),
        isHeldByObject,
        lt(userAccounts.updatedAt, now - firstReportMs),
        notExists(
          db
            .select({ one: sql`1` })
            .from(durableObjectStatus)
            .where(eq(durableObjectStatus.userId, userAccounts.userId)),
        ),
      ),
    )
    .orderBy(userAccounts.userId)
    .limit(pageSize)

/**
 * Reads page after page, each from after the last row of the one before. A row that stays overdue, because its object
 * could not be woken, is behind the cursor then: it neither blocks the walk nor is met twice in a run.
 */
const walk = <Row, Cursor>(
  operation: string,
  start: Cursor,
  pageSize: number,
  read: (after: Cursor) => Promise<ReadonlyArray<Row>>,
  cursorOf: (row: Row) => Cursor,
): Stream.Stream<Row, DatabaseUnavailable> =>
  Stream.paginate(start, (after) =>
    Effect.tryPromise({ try: () => read(after), catch: toDatabaseUnavailable(operation) }).pipe(
      Effect.retry(retries),
      Effect.map((rows) => {
        const last = rows.at(-1)
        const next = rows.length < pageSize || last === undefined ? Option.none() : Option.some(cursorOf(last))
        return [rows, next] as const
      }),
    ),
  )

/** The people whose object should have been heard from, read from D1. The number of queries grows with the pages alone. */
export class Overdue extends Context.Service<
  Overdue,
  {
    /**
     * User ids: first of those whose object is later than it said, the longest silent first; then of those who have
     * moved to an object of which nothing was ever heard. `now` is epoch milliseconds.
     */
    readonly find: (now: number, pageSize: number) => Stream.Stream<string, DatabaseUnavailable>
  }
>()("pollen/cron/Overdue") {
  static readonly layer = (database: D1Database): Layer.Layer<Overdue> => {
    const db = drizzle(database)
    return Layer.succeed(Overdue, {
      find: (now, pageSize) => {
        const late = walk(
          "late objects",
          { expectedBy: 0, userId: "" },
          pageSize,
          (after: Late) => latePage(db, now, after, pageSize),
          (row) => row,
        )
        const silent = walk(
          "silent objects",
          "",
          pageSize,
          (after: string) => silentPage(db, now, after, pageSize),
          ({ userId }) => userId,
        )
        return Stream.concat(late, silent).pipe(Stream.map(({ userId }) => userId))
      },
    })
  }
}

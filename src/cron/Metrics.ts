import { and, desc, eq, inArray, lt, sql } from "drizzle-orm"
import { drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer } from "effect"
import { durableObjectMetrics } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

const newestOf = (kind: string) =>
  sql<number>`(SELECT id FROM durable_object_metrics WHERE kind = ${kind} ORDER BY at DESC, id DESC LIMIT 1)`

/** Rows that are looked at for old ones with each record, and deleted at most: more than come meanwhile. */
const prunedAtOnce = 100

/** Where figures about the objects are kept: `durable_object_metrics` in D1. */
export class Metrics extends Context.Service<
  Metrics,
  {
    /** Reads the last figures of a kind, as JSON; `null` where there are none. */
    readonly last: (kind: string) => Effect.Effect<string | null, DatabaseUnavailable>
    /** Keeps figures under a kind. `at` is epoch milliseconds. */
    readonly record: (kind: string, at: number, figures: object) => Effect.Effect<void, DatabaseUnavailable>
  }
>()("pollen/cron/Metrics") {
  /** Figures older than `retentionMs` go with the next record, of every kind. */
  static readonly layer = (database: D1Database, retentionMs: number): Layer.Layer<Metrics> =>
    Layer.succeed(Metrics, {
      last: Effect.fn("Metrics.last")(function* (kind) {
        const [row] = yield* askDatabase("metrics", () =>
          drizzle(database)
            .select({ figures: durableObjectMetrics.figures })
            .from(durableObjectMetrics)
            .where(eq(durableObjectMetrics.kind, kind))
            .orderBy(desc(durableObjectMetrics.at), desc(durableObjectMetrics.id))
            .limit(1),
        )
        return row?.figures ?? null
      }),
      record: Effect.fn("Metrics.record")(function* (kind, at, figures) {
        const db = drizzle(database)
        const { id } = durableObjectMetrics
        const oldest = db.select().from(durableObjectMetrics).orderBy(id).limit(prunedAtOnce).as("oldest")
        const old = db
          .select({ id: oldest.id })
          .from(oldest)
          .where(lt(oldest.at, at - retentionMs))
        yield* askDatabase("metrics", () =>
          db.batch([
            // Where the run before stopped is a person's id, and of use to this run alone.
            db
              .update(durableObjectMetrics)
              .set({ figures: sql`json_remove(figures, '$.stoppedAfter')` })
              .where(and(eq(durableObjectMetrics.id, newestOf(kind)), sql`figures->>'stoppedAfter' IS NOT NULL`)),
            db.insert(durableObjectMetrics).values({ kind, at, figures: JSON.stringify(figures) }),
            db.delete(durableObjectMetrics).where(inArray(durableObjectMetrics.id, old)),
          ]),
        )
      }),
    })
}

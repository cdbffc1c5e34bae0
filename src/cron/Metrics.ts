import { desc, eq } from "drizzle-orm"
import { drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer } from "effect"
import { durableObjectMetrics } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

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
  static readonly layer = (database: D1Database): Layer.Layer<Metrics> =>
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
        yield* askDatabase("metrics", () =>
          drizzle(database)
            .insert(durableObjectMetrics)
            .values({ kind, at, figures: JSON.stringify(figures) }),
        )
      }),
    })
}

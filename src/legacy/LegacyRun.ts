import { Effect, Option, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import { RateLimited } from "../domain/error.ts"
import { Provider } from "../domain/provider.ts"

/** Most kinds of failure that a summary lists. */
const failuresListed = 20

/** Most accounts with an emptied library that are remembered, so that the figures of a run fit into a row. */
export const emptiedKept = 2000

const FailureCount = Schema.Struct({ tag: Schema.String, count: Schema.Int, example: Schema.String })

/** An account in whose batch a run died, and since when it is left alone (epoch milliseconds) because one died while it was polled alone. */
const Suspect = Schema.Struct({ provider: Provider, userId: Schema.String, triedAt: Schema.NullOr(Schema.Int) })
export type Suspect = typeof Suspect.Type

const nothingUnderWay = { spotify: null, youtube: null }

const perProvider = <S extends Schema.Constraint>(schema: S) => Schema.Struct({ spotify: schema, youtube: schema })

/**
 * Figures of a run of the legacy poller: a `legacy_run` in `durable_object_metrics`, of the same shape as those of a `cron_run`. They
 * are recorded before every batch, so that the next run knows where one that was killed stopped, and in which batch.
 */
export const LegacyRun = Schema.Struct({
  /** Accounts that D1 holds, as far as the run got, and how many of them were polled or failed. */
  found: Schema.Int,
  polled: Schema.Int,
  failed: Schema.Int,
  durationMs: Schema.Int,
  failures: Schema.Array(FailureCount),
  /** True when everybody was polled; false when time, requests or a provider's patience ran out first. */
  isComplete: Schema.Boolean,
  /** Items that went to people's feeds. */
  items: Schema.Int,
  /** Requests to the providers' APIs, and statements that read or wrote a token in D1. */
  requests: Schema.Int,
  tokenQueries: Schema.Int,
  /** Everything that the run has asked of others, as Cloudflare counts it. */
  subrequests: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  /** The last person polled, where the run stopped before the end. */
  stoppedAfter: perProvider(Schema.NullOr(Schema.String)),
  /** The batch that was begun and did not end: the accounts after one person up to another. */
  underWay: perProvider(Schema.NullOr(Schema.Struct({ after: Schema.String, upTo: Schema.String }))).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(nothingUnderWay)),
  ),
  /** Accounts that are polled last, one by one, because a run died while it polled them. */
  suspects: Schema.Array(Suspect).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  /** Rate limits that the next run has to respect. */
  holds: Schema.Array(RateLimited),
  /** Accounts whose library lists nothing, and since when (epoch milliseconds): the next run may believe it. */
  emptied: Schema.Array(Schema.Tuple([Schema.String, Schema.Int])).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed([])),
  ),
})
export type LegacyRun = typeof LegacyRun.Type

export const emptyRun: LegacyRun = {
  found: 0,
  polled: 0,
  failed: 0,
  durationMs: 0,
  failures: [],
  isComplete: false,
  items: 0,
  requests: 0,
  tokenQueries: 0,
  subrequests: 0,
  stoppedAfter: { spotify: null, youtube: null },
  underWay: nothingUnderWay,
  suspects: [],
  holds: [],
  emptied: [],
}

/** Counts more failures, by tag. */
export const countReasons = (
  failures: LegacyRun["failures"],
  errors: ReadonlyArray<{ readonly _tag: string; readonly message: string }>,
): LegacyRun["failures"] => {
  const counts = new Map(failures.map((failure) => [failure.tag, failure]))
  for (const { _tag: tag, message } of errors) {
    const { count, example } = counts.get(tag) ?? { count: 0, example: message }
    if (count > 0 || counts.size < failuresListed) counts.set(tag, { tag, count: count + 1, example })
  }
  return [...counts.values()]
}

const RunJson = Schema.fromJsonString(Schema.toCodecJson(LegacyRun))
const decodeRun = Schema.decodeUnknownOption(RunJson)
const encodeRun = Schema.encodeSync(RunJson)

const kind = "legacy_run"

/** Reads the figures of the run before, as far as they were recorded. */
export const readLastRun = (database: D1Database) =>
  askDatabase("the run before", () =>
    database
      .prepare("SELECT figures FROM durable_object_metrics WHERE kind = ?1 ORDER BY at DESC, id DESC LIMIT 1")
      .bind(kind)
      .first<string>("figures"),
  ).pipe(Effect.map((figures) => Option.getOrElse(decodeRun(figures), () => emptyRun)))

/** Inserts a row of figures and returns its id. */
export const beginRun = (database: D1Database, startedAt: number, run: LegacyRun) =>
  askDatabase("metrics", () =>
    database
      .prepare("INSERT INTO durable_object_metrics (at, kind, figures) VALUES (?1, ?2, ?3) RETURNING id")
      .bind(startedAt, kind, encodeRun(run))
      .first<number>("id"),
  )

/** Updates a row of figures. */
export const recordRun = (database: D1Database, id: number | null, at: number, run: LegacyRun) =>
  askDatabase("metrics", () =>
    database
      .prepare("UPDATE durable_object_metrics SET figures = ?2, at = ?3 WHERE id = ?1")
      .bind(id, encodeRun(run), at)
      .run(),
  )

import { Context, type Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { readSources } from "../move/sources.ts"
import type { HandedSource } from "../rpc/move.ts"

/** The sources that people follow, and the items at which the legacy poller stopped. */
export class FeedSources extends Context.Service<
  FeedSources,
  {
    /** Reads the sources of these people, by user id. One statement. */
    readonly of: (
      userIds: ReadonlyArray<string>,
    ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<HandedSource>>, DatabaseUnavailable>
  }
>()("pollen/migration/FeedSources") {
  static readonly layer = (database: D1Database): Layer.Layer<FeedSources> =>
    Layer.succeed(FeedSources, { of: (userIds) => readSources(database, userIds) })
}

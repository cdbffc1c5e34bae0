import { Context, type Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { readSources } from "../move/sources.ts"
import type { HandedSource } from "../rpc/move.ts"

/** What people follow, and where the central poller stopped. */
export class FeedSources extends Context.Service<
  FeedSources,
  {
    /** By user id, of these people, in one statement. */
    readonly of: (
      userIds: ReadonlyArray<string>,
    ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<HandedSource>>, DatabaseUnavailable>
  }
>()("pollen/migration/FeedSources") {
  static readonly layer = (database: D1Database): Layer.Layer<FeedSources> =>
    Layer.succeed(FeedSources, { of: (userIds) => readSources(database, userIds) })
}

import { asc, eq, inArray, lte, max, sql } from "drizzle-orm"
import { Context, Effect, Layer, Option } from "effect"
import { tokenEvents } from "../../../schema/object.ts"
import type { Provider } from "../../domain/provider.ts"
import type { TokenEventType } from "../../domain/token.ts"
import { Store } from "../Store.ts"

/** How many events an object keeps. */
const eventsKept = 500

/** Where token events are published; absent where no Queue is bound. */
export class EventQueue extends Context.Service<EventQueue, Option.Option<Queue>>()("pollen/object/EventQueue") {
  static readonly layer = (queue: Queue | undefined): Layer.Layer<EventQueue> =>
    Layer.succeed(EventQueue, Option.fromUndefinedOr(queue))
}

/** The log of what happened to accounts and grants. */
export class TokenEvents extends Context.Service<
  TokenEvents,
  {
    /** Writes an event; to be called inside the transaction that it tells of. Details never hold a secret. */
    readonly record: (provider: Provider, type: TokenEventType, at: number, detail?: string) => void
    /** Sends what has not been sent. Events stay until the Queue has taken them. */
    readonly publish: Effect.Effect<void>
  }
>()("pollen/object/TokenEvents") {
  static readonly layer = Layer.effect(
    TokenEvents,
    Effect.gen(function* () {
      const { db, userId } = yield* Store
      const queue = yield* EventQueue

      const record = (provider: Provider, type: TokenEventType, at: number, detail?: string): void => {
        db.insert(tokenEvents)
          .values({ provider, type, at, detail: detail ?? null, isPublished: Option.isNone(queue) })
          .run()
        const newest = db.select({ id: max(tokenEvents.id) }).from(tokenEvents)
        db.delete(tokenEvents)
          .where(lte(tokenEvents.id, sql`(${newest}) - ${eventsKept}`))
          .run()
      }

      const publish = Option.match(queue, {
        onNone: () => Effect.void,
        onSome: (bound) =>
          Effect.gen(function* () {
            const unsent = db
              .select()
              .from(tokenEvents)
              .where(eq(tokenEvents.isPublished, false))
              .orderBy(asc(tokenEvents.id))
              .limit(100)
              .all()
            if (unsent.length === 0) return
            yield* Effect.tryPromise(() =>
              bound.sendBatch(
                unsent.map(({ id, provider, type, at, detail }) => ({
                  body: { userId, id, provider, type, at, detail },
                })),
              ),
            )
            const ids = unsent.map(({ id }) => id)
            db.update(tokenEvents).set({ isPublished: true }).where(inArray(tokenEvents.id, ids)).run()
          }).pipe(
            Effect.catch(() => Effect.logWarning("Token events could not be published; they will be sent later")),
          ),
      })

      return { record, publish }
    }),
  )
}

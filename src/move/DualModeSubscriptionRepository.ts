import { Context, Effect, Layer, Schema } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { InvalidRequest, type ObjectUnavailable } from "../domain/error.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { type Subscription, SubscriptionCursor } from "../domain/subscription.ts"
import type { UserId } from "../domain/user.ts"
import type { CommonError } from "../rpc/contract.ts"
import { readFollowed } from "./followed.ts"
import { readPerson } from "./person.ts"

/** Whose subscriptions, of which provider, and which page. */
interface Query {
  readonly userId: UserId
  readonly provider?: Provider
  readonly cursor?: string
  readonly limit?: number
}

interface Page {
  readonly subscriptions: ReadonlyArray<Subscription>
  readonly next: string | null
}

interface ObjectPage extends Page {
  /** The accounts that the object holds. */
  readonly held: ReadonlyArray<Provider>
}

interface DualModeOptions {
  readonly database: D1Database
  readonly askObject: (query: Query) => Effect.Effect<ObjectPage, CommonError>
}

const limitUnlessTold = 100

const decodeCursor = Schema.decodeUnknownEffect(SubscriptionCursor)
const encodeCursor = Schema.encodeSync(SubscriptionCursor)
const nothing: ObjectPage = { subscriptions: [], next: null, held: [] }

/**
 * Whether going on from the object's page would leave out what D1 lists of accounts that it could not be asked for: the last page ended
 * within one, or this one's cursor is beyond one.
 */
const skipsUnread = (page: ObjectPage, unread: ReadonlyArray<Provider>, from: Provider | ""): boolean => {
  const last = page.subscriptions.at(-1)
  const isBeyond = (one: Provider) =>
    last !== undefined &&
    providers.indexOf(one) < providers.indexOf(last.provider) &&
    (from === "" || providers.indexOf(one) >= providers.indexOf(from))
  return unread.some((one) => one === from || (page.next !== null && isBeyond(one)))
}

/**
 * What people follow, from where each account is: the object, or D1 for those that have not moved. Pages are the same from either, and
 * their cursors too, so that somebody who moves between two pages misses nothing. A page that would go on beyond what D1 could not be
 * asked for fails with `DatabaseUnavailable`; asked for one provider alone, an account that the object holds needs no D1.
 */
export class DualModeSubscriptionRepository extends Context.Service<
  DualModeSubscriptionRepository,
  { readonly list: (query: Query) => Effect.Effect<Page, CommonError | DatabaseUnavailable> }
>()("pollen/move/DualModeSubscriptionRepository") {
  static readonly layer = ({ database, askObject }: DualModeOptions): Layer.Layer<DualModeSubscriptionRepository> =>
    Layer.sync(DualModeSubscriptionRepository, () => {
      /** An object that cannot be reached is not missed if D1 holds whatever was asked for. */
      const withoutObject = Effect.fnUntraced(function* ({ userId, provider }: Query, unreachable: ObjectUnavailable) {
        const rows = yield* Effect.mapError(readPerson(database, userId), () => unreachable)
        const wanted = rows.filter((row) => provider === undefined || row.provider === provider)
        const isAllInDatabase = wanted.length > 0 && wanted.every(({ holder }) => holder === "database")
        return yield* isAllInDatabase ? Effect.succeed(nothing) : Effect.fail(unreachable)
      })

      const list = Effect.fn("DualModeSubscriptionRepository.list")(function* (query: Query) {
        const { userId, provider, cursor, limit = limitUnlessTold } = query
        const fromObject = yield* askObject(query).pipe(
          Effect.catchTag("ObjectUnavailable", (unreachable) => withoutObject(query, unreachable)),
        )
        const wanted = (provider === undefined ? providers : [provider]).filter((one) => !fromObject.held.includes(one))
        if (wanted.length === 0) return { subscriptions: fromObject.subscriptions, next: fromObject.next }
        const after =
          cursor === undefined ? (["", ""] as const) : yield* decodeCursor(cursor).pipe(Effect.mapError(() => notOurs))
        const fromDatabase = yield* readFollowed(database, userId, wanted, after, limit).pipe(
          // Somebody who has moved, with the one account that they have, does not depend on D1.
          Effect.catch((error) =>
            fromObject.held.length > 0 && !skipsUnread(fromObject, wanted, after[0])
              ? Effect.succeed([])
              : Effect.fail(error),
          ),
        )
        // No provider is on both sides, and each side is in order.
        const all = [...fromObject.subscriptions, ...fromDatabase].sort(
          (one, other) => providers.indexOf(one.provider) - providers.indexOf(other.provider),
        )
        const page = all.slice(0, limit)
        const last = page.at(-1)
        const hasMore = all.length > limit || fromObject.next !== null
        return {
          subscriptions: page,
          next: hasMore && last !== undefined ? encodeCursor([last.provider, last.sourceId]) : null,
        }
      })

      return { list }
    })
}

const notOurs = new InvalidRequest({
  method: "listSubscriptions",
  issues: [{ path: "cursor", message: "is not a cursor that listSubscriptions gave" }],
})

import { and, count, eq, inArray, isNotNull, sql } from "drizzle-orm"
import { Effect, Redacted } from "effect"
import { items, subscriptions } from "../../../schema/object.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import { unreliableCount } from "../../domain/subscription.ts"
import { GrantStore } from "../grants/GrantStore.ts"
import { type ObjectDatabase, Store } from "../Store.ts"
import type { Cursor, MirroredGrant } from "./batch.ts"
import { type HeldAccount, type OutboxRow, selectHeld } from "./statements.ts"

// Grants and cursors in a delivery. The outbox holds no token: a row names the provider, and D1 gets the grant as it is when the
// delivery leaves.

/** Reads the accounts that this object holds. */
export const readHeldAccounts = ({ rows }: Store["Service"]): ReadonlyArray<HeldAccount> =>
  rows<HeldAccount>(selectHeld)

/** The providers that rows of a kind name. */
const providersOf = (rows: ReadonlyArray<OutboxRow>, kind: string): ReadonlyArray<Provider> => {
  const named = new Set(rows.filter((row) => row.kind === kind).map(({ body }) => JSON.parse(body).provider))
  return providers.filter((provider) => named.has(provider))
}

/** Opens the held grants of these providers; one that the person has removed has empty fields. */
export const openMirrored = Effect.fnUntraced(function* (wanted: ReadonlyArray<Provider>) {
  const grants = yield* GrantStore
  const held = readHeldAccounts(yield* Store)
  const opened = yield* Effect.forEach(
    wanted,
    Effect.fnUntraced(function* (provider) {
      const account = held.find((row) => row.provider === provider)
      if (account === undefined) return null
      const { epoch } = account
      const row = grants.readToken(provider)
      const none = {
        accessToken: null,
        refreshToken: null,
        expiresAt: null,
        scope: null,
        authorizedAt: null,
        client: null,
      }
      if (row === undefined) return { provider, epoch, ...none } satisfies MirroredGrant
      const { accessToken, refreshToken, scope } = yield* grants.open(provider, row)
      return {
        provider,
        epoch,
        accessToken: Redacted.value(accessToken),
        refreshToken: Redacted.value(refreshToken),
        expiresAt: row.expiresAt,
        scope: scope.join(" "),
        authorizedAt: row.authorizedAt,
        client: row.client,
      } satisfies MirroredGrant
    }),
  )
  return opened.filter((one) => one !== null)
})

/** Opens the grants that the mirror rows of a delivery name. One that does not open is left out: it cannot be refreshed either. */
export const mirrorOf = (rows: ReadonlyArray<OutboxRow>) =>
  Effect.forEach(providersOf(rows, "mirror"), (provider) =>
    Effect.catch(openMirrored([provider]), (error) => Effect.as(Effect.logError(error.message), [])),
  ).pipe(Effect.map((opened) => opened.flat()))

/** Reads the cursors of the sources of accounts that were handed back. */
export const cursorsOf = (db: ObjectDatabase, rows: ReadonlyArray<OutboxRow>): ReadonlyArray<Cursor> => {
  const givenBack = providersOf(rows, "cursors")
  if (givenBack.length === 0) return []
  const { provider, sourceId, polledAt, isCountUnreliable } = subscriptions
  const waiting = db
    .select({ waiting: count() })
    .from(items)
    .where(and(eq(items.provider, provider), eq(items.sourceId, sourceId), eq(items.state, "waiting")))
  return (
    db
      .select({
        ...{ provider, sourceId, polledAt },
        // Less by what waits, so that the source is asked until it can be played.
        itemCount: sql<
          number | null
        >`iif(${isCountUnreliable}, ${unreliableCount}, max(0, ${subscriptions.itemCount} - (${waiting})))`,
      })
      .from(subscriptions)
      // A source of which nothing has been listed yet is as good as never polled.
      .where(and(inArray(provider, [...givenBack]), isNotNull(subscriptions.backfilledAt)))
      .all()
  )
}

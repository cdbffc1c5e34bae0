import { and, asc, count, desc, eq, getTableColumns, gt, isNotNull, or } from "drizzle-orm"
import { Clock, Effect, Schema } from "effect"
import { accounts, outbox, person, polls, setAside, subscriptions, tokenEvents, tokens } from "../../schema/object.ts"
import { reconnectBy } from "../domain/grantLife.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { Subscription, SubscriptionCursor, toDetails } from "../domain/subscription.ts"
import { TokenEvent } from "../domain/token.ts"
import { AccountStatus, PollRecord } from "../rpc/methods.ts"
import { dueAtOf } from "./dueAt.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

/** How much of each list a status shows. */
const shown = { failing: 100, events: 50, polls: 20 }

// Rows were written by this object alone; one of another shape is a defect.
const decodeSubscriptions = Schema.decodeUnknownSync(Schema.Array(Subscription))
/** With addresses and titles within bounds, whatever an earlier version kept. */
const toSubscriptions = (rows: ReadonlyArray<typeof subscriptions.$inferSelect>) =>
  decodeSubscriptions(rows).map((row) => ({ ...row, ...toDetails(row) }))
const toEvents = Schema.decodeUnknownSync(Schema.Array(TokenEvent))
const toPolls = Schema.decodeUnknownSync(Schema.Array(PollRecord))
const toAccounts = Schema.decodeUnknownSync(Schema.Array(AccountStatus))

/** The later of the two limits of a provider: of its API, and of its token endpoint. */
const limitOf = (
  { rateLimitedUntil, rateLimitReason }: typeof accounts.$inferSelect,
  grant: typeof tokens.$inferSelect | undefined,
) => {
  const refreshLimitedUntil = grant?.refreshLimitedUntil ?? null
  return refreshLimitedUntil !== null && refreshLimitedUntil > (rateLimitedUntil ?? 0)
    ? { rateLimitedUntil: refreshLimitedUntil, rateLimitReason: "rate_limited" }
    : { rateLimitedUntil, rateLimitReason }
}

/** Everything worth knowing about the object, without a secret in it. */
export const readStatus = Effect.fn("readStatus")(function* () {
  const store = yield* Store
  const { grantLifetimes } = yield* Settings
  const { db } = store
  const self = db.select().from(person).get()
  const countSources = (provider: string, { isFailing } = { isFailing: false }) =>
    db
      .select({ rows: count() })
      .from(subscriptions)
      .where(and(eq(subscriptions.provider, provider), isFailing ? isNotNull(subscriptions.reason) : undefined))
      .get()?.rows ?? 0
  const grants = new Map(
    db
      .select()
      .from(tokens)
      .all()
      .map((row) => [row.provider, row]),
  )
  return {
    userId: store.userId,
    durableObjectId: store.durableObjectId,
    accounts: toAccounts(
      db
        .select()
        .from(accounts)
        .all()
        // What is left of a copy that was discarded is an epoch to remember, and no account.
        .filter(({ isHolder, provider }) => isHolder || grants.has(provider))
        .map((account) => {
          const grant = grants.get(account.provider)
          const authorizedAt = grant?.authorizedAt ?? null
          const provider = providers.find((one) => one === account.provider)
          return {
            ...account,
            holder: account.isHolder ? "object" : "database",
            expiresAt: grant?.expiresAt ?? null,
            authorizedAt,
            client: grant?.client ?? null,
            reconnectBy: reconnectBy(provider === undefined ? null : grantLifetimes[provider], authorizedAt),
            keyId: grant?.keyId ?? null,
            ...limitOf(account, grant),
            failures: Math.max(account.failures, grant?.failures ?? 0),
            retryAt: account.retryAt ?? grant?.retryAt ?? null,
            sources: countSources(account.provider),
            failingSources: countSources(account.provider, { isFailing: true }),
          }
        }),
    ),
    failing: toSubscriptions(
      db
        .select()
        .from(subscriptions)
        .where(isNotNull(subscriptions.reason))
        .orderBy(desc(subscriptions.failures))
        .limit(shown.failing)
        .all(),
    ),
    alarmAt: yield* store.alarmAt,
    undelivered: db.select({ rows: count() }).from(outbox).get()?.rows ?? 0,
    deliveryFailure: self?.deliveryFailure ?? null,
    setAside: db.select({ rows: count() }).from(setAside).get()?.rows ?? 0,
    setAsideReason: db.select().from(setAside).orderBy(desc(setAside.id)).get()?.reason ?? null,
    events: toEvents(db.select().from(tokenEvents).orderBy(desc(tokenEvents.id)).limit(shown.events).all()),
    polls: toPolls(db.select().from(polls).orderBy(desc(polls.startedAt), desc(polls.id)).limit(shown.polls).all()),
  }
})

const decodeCursor = Schema.decodeUnknownEffect(SubscriptionCursor)
const encodeCursor = Schema.encodeSync(SubscriptionCursor)

/** A page of what the person follows with accounts that the object holds. Fails on a cursor that is not one of ours. */
export const readSubscriptions = Effect.fn("readSubscriptions")(function* (
  provider: Provider | undefined,
  cursor: string | undefined,
  limit: number,
) {
  const { db } = yield* Store
  const { bounds } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const after = cursor === undefined ? undefined : yield* decodeCursor(cursor)
  const isHeld = eq(accounts.isHolder, true)
  const held = db.select({ provider: accounts.provider }).from(accounts).where(isHeld).all()
  const rows = db
    .select({ ...getTableColumns(subscriptions), libraryReadAt: accounts.libraryReadAt, lookAt: accounts.lookAt })
    .from(subscriptions)
    .innerJoin(accounts, and(eq(accounts.provider, subscriptions.provider), isHeld))
    .where(
      and(
        provider === undefined ? undefined : eq(subscriptions.provider, provider),
        after === undefined
          ? undefined
          : or(
              gt(subscriptions.provider, after[0]),
              and(eq(subscriptions.provider, after[0]), gt(subscriptions.sourceId, after[1])),
            ),
      ),
    )
    .orderBy(asc(subscriptions.provider), asc(subscriptions.sourceId))
    .limit(limit + 1)
    .all()
  // A hub looks at the sources that it watches by its own rhythm; so much is known of it here.
  const shownDueAt = (row: (typeof rows)[number]) =>
    row.watchedAt === null ? dueAtOf(row, row, bounds) : now + row.intervalMs
  const page = toSubscriptions(rows.slice(0, limit).map((row) => ({ ...row, dueAt: shownDueAt(row) })))
  const last = page.at(-1)
  const next = rows.length > limit && last !== undefined ? encodeCursor([last.provider, last.sourceId]) : null
  return { subscriptions: page, next, held: providers.filter((one) => held.some((row) => row.provider === one)) }
})

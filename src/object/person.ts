import { and, eq, ne } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, person, tokens } from "../../schema/object.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { TokenEvents } from "./events.ts"
import { arm, isPolled } from "./schedule.ts"
import { prepared, Store } from "./store.ts"

// Whose object it is, which of their accounts it looks after, and what every method ends with.

const { provider, state, isHolder } = accounts
const selectPolled = prepared((db) => db.select({ provider }).from(accounts).where(isPolled).prepare())
const selectHeld = prepared((db) =>
  db
    .select({ provider })
    .from(accounts)
    .where(and(ne(state, "disconnected"), eq(isHolder, true)))
    .prepare(),
)
const selectCopied = prepared((db) =>
  db
    .select({ provider })
    .from(accounts)
    .innerJoin(tokens, eq(tokens.provider, provider))
    .where(eq(isHolder, false))
    .prepare(),
)

const inOrder = (rows: ReadonlyArray<{ readonly provider: string }>): ReadonlyArray<Provider> =>
  providers.filter((known) => rows.some((row) => row.provider === known))

/** The accounts that are polled. */
export const connectedProviders = Effect.map(Store, ({ db }) => inOrder(selectPolled(db).all()))

/** Everything that the object holds but disconnected accounts. */
export const heldProviders = Effect.map(Store, ({ db }) => inOrder(selectHeld(db).all()))

/** The accounts of which the object keeps a copy, and D1 has the right. */
export const copiedProviders = Effect.map(Store, ({ db }) => inOrder(selectCopied(db).all()))

/** Whether the object holds an account, disconnected or not. */
export const isHeld = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  return db.select().from(accounts).where(eq(accounts.provider, provider)).get()?.isHolder ?? false
})

/** Notes whose object this is. Until then nothing is kept, and there is no alarm. */
export const enrol = Effect.gen(function* () {
  const { db, userId } = yield* Store
  const createdAt = yield* Clock.currentTimeMillis
  db.insert(person).values({ id: 1, userId, createdAt }).onConflictDoNothing().run()
})

/** Puts the alarm in order and sends what happened to whoever listens. */
export const conclude = Effect.gen(function* () {
  const events = yield* TokenEvents
  yield* arm()
  yield* events.publish
})

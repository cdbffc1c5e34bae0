import { and, eq, ne } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, person, tokens } from "../../schema/object.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { TokenEvents } from "./events.ts"
import { arm, isPolled } from "./schedule.ts"
import { Store } from "./store.ts"

// Whose object it is, which of their accounts it looks after, and what every method ends with.

/** The accounts that are polled. */
export const connectedProviders = Effect.gen(function* () {
  const { db } = yield* Store
  const rows = db.select().from(accounts).where(isPolled).all()
  return providers.filter((provider) => rows.some((row) => row.provider === provider))
})

/** Everything that the object holds but disconnected accounts. */
export const heldProviders = Effect.gen(function* () {
  const { db } = yield* Store
  const isHeld = and(ne(accounts.state, "disconnected"), eq(accounts.isHolder, true))
  const rows = db.select().from(accounts).where(isHeld).all()
  return providers.filter((provider) => rows.some((row) => row.provider === provider))
})

/** Whether the object holds an account, disconnected or not. */
export const isHeld = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  return db.select().from(accounts).where(eq(accounts.provider, provider)).get()?.isHolder ?? false
})

/** The accounts of which the object keeps a copy, and D1 has the right. */
export const copiedProviders = Effect.gen(function* () {
  const { db } = yield* Store
  const rows = db
    .select({ provider: accounts.provider })
    .from(accounts)
    .innerJoin(tokens, eq(tokens.provider, accounts.provider))
    .where(eq(accounts.isHolder, false))
    .all()
  return providers.filter((provider) => rows.some((row) => row.provider === provider))
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

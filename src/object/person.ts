import { eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, person } from "../../schema/object.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { TokenEvents } from "./grants/TokenEvents.ts"
import { Store } from "./Store.ts"
import { arm } from "./schedule.ts"
import { type ProviderRow, selectConnected, selectCopied, selectHeld } from "./statements.ts"

// The person of the object, their accounts, and what every method ends with.

/** Providers that a statement selects, in the order in which they are always told. */
const providersIn = (statement: string) =>
  Effect.map(Store, ({ rows }) => {
    const found = rows<ProviderRow>(statement)
    return providers.filter((known) => found.some(({ provider }) => provider === known))
  })

export const connectedProviders = providersIn(selectConnected)
export const heldProviders = providersIn(selectHeld)
export const copiedProviders = providersIn(selectCopied)

/** Whether the object holds an account, disconnected or not. */
export const isHeld = Effect.fnUntraced(function* (provider: Provider) {
  const { db } = yield* Store
  return db.select().from(accounts).where(eq(accounts.provider, provider)).get()?.isHolder ?? false
})

/** Records whose object this is. Until then the object keeps nothing and has no alarm. */
export const ensurePerson = Effect.gen(function* () {
  const { db, userId } = yield* Store
  const createdAt = yield* Clock.currentTimeMillis
  db.insert(person).values({ id: 1, userId, createdAt }).onConflictDoNothing().run()
})

/** Sets the alarm to what is due now, and publishes token events. Every method ends with it. */
export const rearm = Effect.gen(function* () {
  const events = yield* TokenEvents
  yield* arm()
  yield* events.publish
})

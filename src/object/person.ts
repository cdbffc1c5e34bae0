import { eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, person } from "../../schema/object.ts"
import { PersonForgotten } from "../domain/error.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { TokenEvents } from "./grants/TokenEvents.ts"
import { Store, type Tombstone } from "./Store.ts"
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

/** What an erasure of the person has left, if there was one. */
export const readTombstone = ({ rows }: Pick<Store["Service"], "rows">): Tombstone | undefined =>
  rows<Tombstone>("SELECT forgotten_at AS forgottenAt, epoch FROM tombstone")[0]

/** The tombstone over an account: of a person who was erased, and has not connected it since. */
export const tombstoneOf = (store: Pick<Store["Service"], "rows">, provider: Provider): Tombstone | undefined => {
  const tombstone = readTombstone(store)
  if (tombstone === undefined) return undefined
  return store.rows("SELECT 1 FROM accounts WHERE provider = ?1", provider).length === 0 ? tombstone : undefined
}

interface Wanted {
  readonly provider: Provider
  /** The epoch at which the account is connected; left out where nothing may begin it. */
  readonly beginsAt?: number
}

/**
 * Notes whose object this is. Until then nothing is kept, and there is no alarm. Fails for an account under a tombstone, which only
 * a `setToken` that has seen it begins anew.
 */
export const ensurePerson = Effect.fnUntraced(function* (method: string, wanted: ReadonlyArray<Wanted>) {
  const store = yield* Store
  const { db, userId } = store
  const isForgotten = wanted.some(({ provider, beginsAt = -1 }) => {
    const tombstone = tombstoneOf(store, provider)
    return tombstone !== undefined && beginsAt < tombstone.epoch
  })
  if (isForgotten) return yield* new PersonForgotten({ method })
  const createdAt = yield* Clock.currentTimeMillis
  db.insert(person).values({ id: 1, userId, createdAt }).onConflictDoNothing().run()
})

/** Sets the alarm to what is due now, and publishes token events. Every method ends with it. */
export const rearm = Effect.gen(function* () {
  const events = yield* TokenEvents
  yield* arm()
  yield* events.publish
})

import { eq } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { accounts, tokens } from "../../schema/object.ts"
import { Budget } from "../budget/Budget.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { Outbox } from "./delivery/Outbox.ts"
import { GrantStore } from "./grants/GrantStore.ts"
import { rearm } from "./person.ts"
import { Store } from "./Store.ts"
import { readCounts } from "./schedule.ts"

// What operators do to one object.

/** Ends the pauses of API and token endpoint that a provider asked for, the application's too, and says so in an event. */
export const endPauses = Effect.fn("endPauses")(function* (wanted: Provider | undefined) {
  const store = yield* Store
  const { db } = store
  const grants = yield* GrantStore
  const now = yield* Clock.currentTimeMillis
  const ended = yield* store.transaction(() =>
    providers.filter((provider) => {
      if (wanted !== undefined && provider !== wanted) return false
      const account = db.select().from(accounts).where(eq(accounts.provider, provider)).get()
      const refreshLimitedUntil = grants.readToken(provider)?.refreshLimitedUntil ?? 0
      const until = Math.max(account?.rateLimitedUntil ?? 0, refreshLimitedUntil)
      if (account === undefined || !account.isHolder || until <= now) return false
      const nothing = { rateLimitedUntil: null, rateLimitReason: null, pauseBoundedUntil: null }
      db.update(accounts).set(nothing).where(eq(accounts.provider, provider)).run()
      db.update(tokens).set({ refreshLimitedUntil: null }).where(eq(tokens.provider, provider)).run()
      grants.changed(provider, "pause_ended", now, `was until ${new Date(until).toISOString()}`)
      return true
    }),
  )
  yield* store.durable
  const { endPause } = yield* Budget
  yield* Effect.forEach(ended, (provider) => endPause(provider, grants.readToken(provider)?.client ?? null))
  yield* rearm
  return { ended }
})

/** Delivers once more what D1 has refused. */
export const redeliver = Effect.fn("redeliver")(function* () {
  const store = yield* Store
  const outbox = yield* Outbox
  const delivery = yield* outbox.redeliver
  yield* rearm
  return { ...delivery, setAside: readCounts(store).setAside }
})

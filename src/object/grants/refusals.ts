import { and, eq } from "drizzle-orm"
import { Clock, Effect, Random } from "effect"
import { accounts, tokens } from "../../../schema/object.ts"
import { ReauthorizationRequired } from "../../domain/error.ts"
import { reconnectBy } from "../../domain/grantLife.ts"
import type { Provider } from "../../domain/provider.ts"
import { nextTryOfRefused } from "../../domain/refusal.ts"
import type { SettingsShape } from "../Settings.ts"
import type { Store } from "../Store.ts"
import type { GrantStore } from "./GrantStore.ts"
import { type TokenRow, withoutPast } from "./grantRows.ts"

/** Grants that the provider refused: their end, when they are tried again, and the mark by which a cut-off refresh is known. */
export const refusals = (
  { db, transaction }: Store["Service"],
  { grantLifetimes }: Pick<SettingsShape, "grantLifetimes">,
  changed: GrantStore["Service"]["changed"],
) => {
  const requireReauthorization = Effect.fnUntraced(function* (
    provider: Provider,
    reason: string,
    alongside: () => void = () => undefined,
  ) {
    const now = yield* Clock.currentTimeMillis
    yield* transaction(() => {
      const updated = db
        .update(accounts)
        .set({ state: "reauthorization_required", reason, retryAt: null })
        .where(and(eq(accounts.provider, provider), eq(accounts.state, "connected"), eq(accounts.isHolder, true)))
        .returning({ provider: accounts.provider })
        .all()
      if (updated.length > 0) changed(provider, "reauthorization_required", now, reason)
      alongside()
    })
    return new ReauthorizationRequired({ provider, reason })
  })

  const refuse = Effect.fnUntraced(function* (row: TokenRow, provider: Provider, told: string) {
    const now = yield* Clock.currentTimeMillis
    const refusals = row.refusals + 1
    const endsAt = reconnectBy(grantLifetimes[provider], row.authorizedAt)
    const refusedRetryAt = nextTryOfRefused({ endsAt, refusals }, now, yield* Random.next)
    const reason = row.refreshBegunAt === null ? told : `${told}, after a refresh that was interrupted`
    return yield* requireReauthorization(provider, reason, () =>
      db
        .update(tokens)
        .set({ ...withoutPast, refusals, refusedRetryAt })
        .where(and(eq(tokens.provider, provider), eq(tokens.generation, row.generation)))
        .run(),
    )
  })

  const begin = (row: TokenRow, provider: Provider, now: number) => {
    if (row.refreshBegunAt !== null || row.isRotated === false) return
    db.update(tokens).set({ refreshBegunAt: now }).where(eq(tokens.provider, provider)).run()
  }

  const abandon = (provider: Provider) =>
    db.update(tokens).set({ refusedRetryAt: null }).where(eq(tokens.provider, provider)).run()

  const reconnect = (provider: Provider) =>
    db
      .update(accounts)
      .set({ state: "connected", reason: null, failures: 0, retryAt: null })
      .where(eq(accounts.provider, provider))
      .run()

  /** Says why a connected account brings nothing for now; `null` takes that back. */
  const noteReason = (provider: Provider, reason: string | null) =>
    db
      .update(accounts)
      .set({ reason })
      .where(and(eq(accounts.provider, provider), eq(accounts.state, "connected")))
      .run()

  return { requireReauthorization, refuse, begin, abandon, reconnect, noteReason }
}

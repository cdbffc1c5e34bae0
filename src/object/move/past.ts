import { eq } from "drizzle-orm"
import { tokens } from "../../../schema/object.ts"
import type { Provider } from "../../domain/provider.ts"
import type { GrantPast } from "../../domain/refusal.ts"
import type { AccountState } from "../../domain/token.ts"
import type { TokenRow } from "../grants/grantRows.ts"
import type { Store } from "../Store.ts"

// How the token endpoint has answered of late goes with the grant: whoever holds it next asks no sooner, and gives up no sooner.

/** How the token endpoint has answered for a grant whose account is in this state. */
export const pastOf = (
  { refusals, refusedRetryAt, refreshLimitedUntil }: TokenRow,
  state: AccountState,
): typeof GrantPast.Type => ({
  refusals,
  retryAt: state === "reauthorization_required" ? refusedRetryAt : refreshLimitedUntil,
})

/** Takes over how it has answered the holder before. To be called inside the transaction that takes the account over. */
export const adoptPast = (
  { db }: Store["Service"],
  provider: Provider,
  state: AccountState,
  { refusals, retryAt }: typeof GrantPast.Type,
): void => {
  db.update(tokens)
    .set({
      refusals,
      ...(state === "reauthorization_required" ? { refusedRetryAt: retryAt } : { refreshLimitedUntil: retryAt }),
    })
    .where(eq(tokens.provider, provider))
    .run()
}

import { Effect } from "effect"
import { fingerprint } from "./fingerprint.ts"
import type { Holder } from "./stage.ts"
import type { AccountState, TokenSet } from "./token.ts"

/**
 * A grant as one side of the move shows it to the other: everything but the tokens, and their fingerprint under the key of the
 * comparison.
 */
export interface ShownGrant {
  /** Who holds the account, as far as this side knows. */
  readonly holder: Holder
  readonly epoch: number
  readonly state: AccountState
  /** `null` where this side has no grant that it can read. */
  readonly fingerprint: string | null
}

/** Shows a grant under the key of a comparison. */
export const showGrant = (
  key: string,
  { tokens, holder, epoch, state }: Omit<ShownGrant, "fingerprint"> & { readonly tokens: TokenSet | null },
): Effect.Effect<ShownGrant> =>
  Effect.map(tokens === null ? Effect.succeed(null) : fingerprint(key, tokens), (shown) => ({
    holder,
    epoch,
    state,
    fingerprint: shown,
  }))

/**
 * What may differ between the two sides:
 *
 * - `missing`: the object has nothing of the account.
 * - `holder`: both sides say that they hold it, or neither does.
 * - `epoch`, `state`: as the names say.
 * - `unreadable`: the object does not open its grant.
 * - `tokens`: the tokens are others, or one side has none.
 */
export type GrantDifference = "missing" | "holder" | "epoch" | "state" | "unreadable" | "tokens"

/**
 * Compares what D1 has of an account with what the object shows of it, under the same key. Which differences matter depends on the
 * stage of the move, and is for the caller to say.
 */
export const compareGrants = (stored: ShownGrant, shown: ShownGrant | undefined): ReadonlySet<GrantDifference> => {
  if (shown === undefined) return new Set(["missing"])
  const differences = new Set<GrantDifference>()
  if (shown.holder !== stored.holder) differences.add("holder")
  if (shown.epoch !== stored.epoch) differences.add("epoch")
  if (shown.state !== stored.state) differences.add("state")
  if (shown.fingerprint === null) differences.add("unreadable")
  if (shown.fingerprint !== stored.fingerprint) differences.add("tokens")
  return differences
}

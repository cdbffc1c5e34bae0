import { Effect } from "effect"
import { newFingerprintKey } from "../../domain/fingerprint.ts"
import { compareGrants, type GrantDifference, type ShownGrant, showGrant } from "../../domain/grant.ts"
import type { TokenSet } from "../../domain/token.ts"
import type { UserId } from "../../domain/user.ts"
import { Core } from "../Core.ts"
import { toStepFailed } from "./reason.ts"

/** What D1 has of an account; `tokens` is `null` where it has no grant that can be read. */
interface StoredAccount extends Omit<ShownGrant, "fingerprint"> {
  readonly provider: string
  readonly tokens: TokenSet | null
}

/** Shows what D1 has of each account and what the object has of it, under one key, and how the two differ. */
export const compareWithObject = Effect.fn("compareWithObject")(function* <Stored extends StoredAccount>(
  userId: UserId,
  accounts: ReadonlyArray<Stored>,
  { probe }: { readonly probe: boolean },
) {
  const core = yield* Core
  const key = newFingerprintKey()
  const told = (yield* Effect.mapError(core.fingerprintTokens({ userId, key, probe }), toStepFailed)).accounts
  return yield* Effect.forEach(
    accounts,
    Effect.fnUntraced(function* (stored) {
      const inObject = told.find(({ provider }) => provider === stored.provider)
      const shown = inObject && { ...inObject, holder: inObject.isHolder ? ("object" as const) : ("database" as const) }
      const differences: ReadonlySet<GrantDifference> = compareGrants(yield* showGrant(key, stored), shown)
      return { stored, inObject, differences }
    }),
  )
})

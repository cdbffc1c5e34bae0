import type { accounts, tokens } from "../../../schema/object.ts"

// Statements of this room that run before every request to a provider. Everything else uses drizzle's builder.

type Account = typeof accounts.$inferSelect
type Token = typeof tokens.$inferSelect

/** An account with its sealed grant; the columns of the grant are `null` where there is none. */
export const selectGrant = `SELECT state, reason, is_holder AS isHolder, held_until AS rateLimitedUntil, hold_reason AS rateLimitReason,
    key_id AS keyId, sealed, expires_at AS expiresAt, generation, exercised_at AS keptAliveAt,
    tokens.failures AS failures, tokens.retry_at AS retryAt, refresh_limited_until AS refreshLimitedUntil,
    refresh_begun_at AS refreshBegunAt, is_rotated AS isRotated, refusals, refused_retry_at AS refusedRetryAt,
    authorized_at AS authorizedAt, client, warned_days AS warnedDays
  FROM accounts LEFT JOIN tokens USING (provider) WHERE provider = ?1`
export type GrantRow = Pick<Account, "state" | "reason" | "rateLimitedUntil" | "rateLimitReason"> & {
  readonly isHolder: number
} & (
    | (Omit<Token, "provider" | "sealed" | "isRotated"> & {
        readonly sealed: ArrayBuffer
        readonly isRotated: number | null
      })
    | { readonly sealed: null }
  )

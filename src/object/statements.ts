import type { accounts, person, tokens } from "../../schema/object.ts"
import { selectDueAt } from "./dueAt.ts"

// Statements of this room that run in every pass. Everything else uses drizzle's builder.

type Account = typeof accounts.$inferSelect
type Token = typeof tokens.$inferSelect
type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null }

/** How deliveries go, and how many rows wait for one. */
export const selectSelf = `SELECT is_report_due AS isHeartbeatDue, reported_at AS heartbeatAt, delivery_retry_at AS deliveryRetryAt,
  (SELECT count(*) FROM outbox) AS undelivered FROM person`
export type SelfRow = Readonly<
  Pick<typeof person.$inferSelect, "heartbeatAt" | "deliveryRetryAt"> & { isHeartbeatDue: number; undelivered: number }
>

/**
 * The accounts that this object looks after, and those whose refused grant is to be tried again, with what says when they are due; copies
 * are never due. `?1` and `?2` are the bounds of intervals. Few items wait, and an index has them.
 */
export const selectPolled = `SELECT account.provider, account.state, held_until AS rateLimitedUntil, account.retry_at AS retryAt,
    library_read_at AS libraryReadAt, exercised_at AS keptAliveAt, expires_at AS expiresAt,
    grant_row.retry_at AS refreshRetryAt, refresh_limited_until AS refreshLimitedUntil,
    refused_retry_at AS refusedRetryAt, authorized_at AS authorizedAt, warned_days AS warnedDays,
    (SELECT CAST(min(${selectDueAt}) AS INTEGER) FROM subscriptions source
      WHERE provider = account.provider AND (watched_at IS NULL OR is_pending)) AS earliestSource,
    (SELECT count(watched_at) FROM subscriptions WHERE provider = account.provider) AS watched,
    (SELECT min(recheck_at) FROM items JOIN subscriptions source USING (provider, source_id)
      WHERE provider = account.provider AND items.state = 'waiting' AND source.failures = 0) AS earliestWaiting
  FROM accounts account LEFT JOIN tokens grant_row USING (provider) WHERE is_holder
    AND (account.state = 'connected' OR account.state = 'reauthorization_required' AND refused_retry_at IS NOT NULL)`
export type PolledRow = Readonly<
  Pick<Account, "provider" | "state" | "rateLimitedUntil" | "retryAt" | "libraryReadAt"> &
    Nullable<
      Pick<
        Token,
        "keptAliveAt" | "expiresAt" | "refreshLimitedUntil" | "refusedRetryAt" | "authorizedAt" | "warnedDays"
      >
    > &
    Record<"refreshRetryAt" | "earliestSource" | "earliestWaiting", number | null> &
    Record<"watched", number>
>

export const selectCounts = `SELECT count(*) AS sources, count(reason) AS failing, (SELECT count(*) FROM set_aside) AS setAside
  FROM subscriptions`
export type CountsRow = Readonly<Record<"sources" | "failing" | "setAside", number>>

/** The accounts that are polled. */
export const selectConnected = "SELECT provider FROM accounts WHERE state = 'connected' AND is_holder"

/** Everything that the object holds but disconnected accounts. */
export const selectHeld = "SELECT provider FROM accounts WHERE state <> 'disconnected' AND is_holder"

/** The accounts of which the object keeps a copy, and D1 has the right to refresh. */
export const selectCopied =
  "SELECT provider FROM accounts WHERE NOT is_holder AND provider IN (SELECT provider FROM tokens)"

export type ProviderRow = Readonly<Pick<Account, "provider">>

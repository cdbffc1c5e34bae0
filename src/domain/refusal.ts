import { Schema } from "effect"
import { EpochMillis } from "./token.ts"

const hourMs = 3_600_000

/** How the token endpoint has answered of late, as it goes with a grant from one side of the move to the other. */
export const GrantPast = Schema.Struct({
  /** Refusals in a row. */
  refusals: Schema.Int,
  /**
   * Until when no refresh is made, in epoch milliseconds: of a refused grant when it is tried again (`null`: never), of any other what
   * the token endpoint asked for by `Retry-After` (`null`: nothing).
   */
  retryAt: Schema.NullOr(EpochMillis),
})

/**
 * How long after each refusal in a row a refused grant is tried again, and over how much longer that is spread, in milliseconds:
 * outages have answered `invalid_grant` to good grants, and a provider that comes back must not meet everybody at once.
 * Source: https://github.com/metabrainz/listenbrainz-server/pull/1921
 */
const waits = [
  { waitMs: hourMs, spreadMs: hourMs / 2 },
  { waitMs: 23 * hourMs, spreadMs: 3 * hourMs },
]

interface Refused {
  /** When the grant ends by its age, epoch milliseconds; `null` where no age ends it, or nobody knows its age. See grantLife.ts. */
  readonly endsAt: number | null
}

/** Whether a grant is so old that a refusal is what was to be expected. */
export const isRefusalExplained = ({ endsAt }: Refused, now: number): boolean => endsAt !== null && now >= endsAt

/**
 * When a grant that was refused `refusals` times in a row (1 or more) is tried again: epoch milliseconds, `null` for never. `random` in
 * [0, 1) spreads those who were refused together. This is the place for a rule that knows more than one person: where many people's
 * grants are refused within minutes, that is the provider's doing, and nobody's is given up.
 */
export const nextTryOfRefused = (
  refused: Refused & { readonly refusals: number },
  now: number,
  random: number,
): number | null => {
  const wait = waits[refused.refusals - 1]
  if (wait === undefined || isRefusalExplained(refused, now)) return null
  return now + Math.round(wait.waitMs + random * wait.spreadMs)
}

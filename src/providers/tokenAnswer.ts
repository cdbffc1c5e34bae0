import { Option, Redacted, Schema } from "effect"
import { Secret, TokenSet } from "../domain/token.ts"

// The answer to a refresh (RFC 6749, 5.1), as pollen takes it: field by field, so that one that is odd costs nothing but itself. What
// a refused answer carries besides is lost, and with rotation a refresh token that is lost is the end of its grant.

/** Lifetime of an access token whose answer does not say: an hour at both providers. */
const defaultLifetimeSeconds = 3600

/** Longest lifetime believed: a month. */
const longestLifetimeSeconds = 30 * 86_400

const decodeSecret = Schema.decodeUnknownOption(Secret)
const decodeScope = Schema.decodeUnknownOption(TokenSet.fields.scope)

/** What is usable of an answer; `null` is what the answer lacks, or has in a form that nobody can use. */
export interface TokenAnswer {
  readonly accessToken: Redacted.Redacted<string> | null
  readonly refreshToken: Redacted.Redacted<string> | null
  readonly lifetimeSeconds: number
  readonly scope: ReadonlyArray<string> | null
}

/** Seconds, as a number or as digits. A lifetime that is none counts as not told: a 401 tells of a token that is dead sooner. */
const lifetimeOf = (told: unknown): number => {
  const seconds = typeof told === "string" && told.trim() !== "" ? Number(told) : told
  if (typeof seconds !== "number" || !(seconds >= 1)) return defaultLifetimeSeconds
  return Math.min(Math.floor(seconds), longestLifetimeSeconds)
}

const scopeOf = (told: unknown): ReadonlyArray<string> | null => {
  if (typeof told !== "string") return null
  const scopes = told.split(" ").filter((scope) => scope !== "")
  return scopes.length === 0 ? null : Option.getOrNull(decodeScope(scopes))
}

/** Reads the fields of an answer that are pollen's business. */
export const readTokenAnswer = (fields: Readonly<Record<string, unknown>>): TokenAnswer => ({
  accessToken: Option.getOrNull(decodeSecret(fields["access_token"])),
  refreshToken: Option.getOrNull(decodeSecret(fields["refresh_token"])),
  lifetimeSeconds: lifetimeOf(fields["expires_in"]),
  scope: scopeOf(fields["scope"]),
})

/**
 * The same answer for a library to judge. It has no ID token: pollen has no use for one, and Google's has another issuer than its token
 * endpoint's origin, for which a library refuses everything. A token type that is missing is `Bearer`, which both providers have alone.
 */
export const toJudge = (fields: Readonly<Record<string, unknown>>, answer: TokenAnswer) => ({
  access_token: answer.accessToken === null ? undefined : Redacted.value(answer.accessToken),
  token_type: typeof fields["token_type"] === "string" ? fields["token_type"] : "Bearer",
  expires_in: answer.lifetimeSeconds,
})

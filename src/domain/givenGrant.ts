import type { Provider } from "./provider.ts"
import type { GivenTokens } from "./token.ts"

// What a caller of `setToken` may have got wrong, as far as the values tell, and what is probably meant.

/**
 * Scopes without which nothing of a provider can be polled; one of these is enough. The first is what pollen asks for; the others include it.
 * https://developers.google.com/youtube/v3/docs/subscriptions/list#auth, https://developer.spotify.com/documentation/web-api/concepts/scopes
 */
const requiredScopes: Readonly<Record<Provider, readonly [string, ...ReadonlyArray<string>]>> = {
  spotify: ["user-library-read"],
  youtube: [
    "https://www.googleapis.com/auth/youtube.readonly",
    "https://www.googleapis.com/auth/youtube",
    "https://www.googleapis.com/auth/youtube.force-ssl",
    "https://www.googleapis.com/auth/youtubepartner",
  ],
}

export interface Issue {
  readonly path: string
  readonly message: string
}

/** Neither provider had grants before. Seconds read as milliseconds are in 1970. */
const earliest = Date.UTC(2005, 0, 1)
const yearMs = 366 * 24 * 3_600_000
const skewMs = 5 * 60_000

const isPast2005 = (at: number, latest: number) => at >= earliest && at <= latest

const whyTooEarly = (at: number, now: number): string =>
  isPast2005(at * 1000, now + yearMs)
    ? "must be epoch milliseconds; it is in 1970, so epoch seconds are probably sent: multiply by 1000"
    : "must be epoch milliseconds; it is in 1970, so seconds from now are probably sent: add them to the time of the answer"

const whyTooLate = (at: number, now: number): string =>
  isPast2005(at / 1000, now + yearMs)
    ? "must be epoch milliseconds; microseconds are probably sent: divide by 1000"
    : "is more than a year ahead, and no access token lives as long; send when the access token expires"

/** Finds what is wrong with tokens that a caller gives. Repeats no value. `now`: epoch milliseconds. `clients`: the names that are set up. */
export const findIssues = (
  provider: Provider,
  given: GivenTokens,
  { now, clients }: { readonly now: number; readonly clients: ReadonlyArray<string> },
): ReadonlyArray<Issue> => {
  const { expiresAt, authorizedAt = null, scope } = given
  const [wanted, ...wider] = requiredScopes[provider]
  const issues: Array<Issue> = []
  const add = (field: string, message: string) => issues.push({ path: `tokens.${field}`, message })
  if (expiresAt < earliest) add("expiresAt", whyTooEarly(expiresAt, now))
  else if (expiresAt > now + yearMs) add("expiresAt", whyTooLate(expiresAt, now))
  if (authorizedAt !== null && authorizedAt < earliest) add("authorizedAt", whyTooEarly(authorizedAt, now))
  else if (authorizedAt !== null && authorizedAt > now + skewMs) add("authorizedAt", "must not be in the future")
  // A grant of another client could never be refreshed.
  if (given.client !== undefined && given.client !== null && !clients.includes(given.client)) {
    add("client", `is not set up; the settings of ${provider} have ${clients.join(", ")}`)
  }
  // Without a word about scopes the provider's answers tell.
  if (scope.length > 0 && ![wanted, ...wider].some((one) => scope.includes(one))) {
    add("scope", `lacks ${wanted}, without which pollen can read nothing; ask for it and let the person connect again`)
  }
  return issues
}

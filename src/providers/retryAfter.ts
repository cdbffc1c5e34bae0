/** Longest pause that can be told, in milliseconds: a year. Whoever keeps to it bounds it further; beyond, dates cannot be written. */
const longestMs = 366 * 24 * 3_600_000

/** A decimal number of seconds. RFC 9110 has whole ones only. */
const isDelay = (text: string) => /^\d+(\.\d+)?$/.test(text)

/** The beginning of each of the three forms of an HTTP date (RFC 9110, 5.6.7). `Date.parse` alone takes `-5` for a year. */
const isDate = (text: string) => /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)

/**
 * When to ask again, in epoch milliseconds, from a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3). Spotify sends
 * hours here after sustained abuse. Without a usable header, 30 s: the length of the window over which Spotify counts. Never sooner
 * than a second from now: "0" must not make a tight loop.
 */
export const retryAfter = (header: string | null, now: number): number => {
  const text = header?.trim() ?? ""
  const wanted = isDelay(text) ? now + Number(text) * 1000 : isDate(text) ? Date.parse(text) : Number.NaN
  const at = Number.isNaN(wanted) ? now + 30_000 : wanted
  return Math.ceil(Math.min(Math.max(at, now + 1000), now + longestMs))
}

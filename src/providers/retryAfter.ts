/**
 * When to ask again, in epoch milliseconds, from a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3).
 * Spotify sends hours here after sustained abuse, so it is never capped. Without a usable header, 30 s: the
 * length of the window over which Spotify counts. Never sooner than a second from now: "0" must not make a tight loop.
 */
export const retryAfter = (header: string | null, now: number): number => {
  const seconds = Number(header)
  if (header !== null && header.trim() !== "" && Number.isFinite(seconds)) {
    return Math.ceil(now + Math.max(1, seconds) * 1000)
  }
  const date = header === null ? Number.NaN : Date.parse(header)
  return Number.isNaN(date) ? now + 30_000 : Math.max(now + 1000, date)
}

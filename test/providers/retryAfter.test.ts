import { expect, it } from "vitest"
import { retryAfter } from "../../src/providers/retryAfter.ts"

const now = Date.UTC(2026, 10, 26, 12)
const year = 366 * 24 * 3600

it.each<[string | null, number]>([
  ["120", 120],
  [" 120 ", 120],
  ["0", 1],
  ["0.2", 1],
  ["18000", 18_000],
  ["999999999999", year],
  ["9".repeat(400), year],
  ["Thu, 26 Nov 2026 12:05:00 GMT", 300],
  ["Thursday, 26-Nov-26 12:05:00 GMT", 300],
  ["Thu, 26 Nov 2026 11:00:00 GMT", 1],
  ["Thu, 99 Nov 2026", 30],
  ["-5", 30],
  ["1e3", 30],
  ["0x10", 30],
  ["2026", 2026],
  ["soon", 30],
  ["", 30],
  [null, 30],
])("Retry-After of %j is a pause of %i seconds", (header, seconds) => {
  expect(retryAfter(header, now)).toBe(now + seconds * 1000)
})

import { expect, it } from "vitest"
import { nextPacificMidnight } from "../../src/domain/quota.ts"

it.each([
  ["2026-01-15T12:00:00Z", "2026-01-16T08:00:00Z"],
  ["2026-07-15T12:00:00Z", "2026-07-16T07:00:00Z"],
  // The day on which summer time begins has 23 hours,
  ["2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z"],
  ["2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"],
  ["2026-03-08T18:00:00Z", "2026-03-09T07:00:00Z"],
  // and the one on which it ends has 25.
  ["2026-11-01T06:59:59Z", "2026-11-01T07:00:00Z"],
  ["2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"],
  ["2026-11-01T20:00:00Z", "2026-11-02T08:00:00Z"],
])("at %s the quota starts anew at %s", (now, midnight) => {
  expect(new Date(nextPacificMidnight(Date.parse(now))).toISOString()).toBe(new Date(midnight).toISOString())
})

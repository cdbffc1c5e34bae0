import { Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { countReasons, type LegacyRun } from "./LegacyRun.ts"
import type { BatchSummary } from "./pollBatch.ts"

/** Counts a batch of so many accounts, which was polled or failed as a whole. */
export const countBatch = (
  figures: LegacyRun,
  accounts: number,
  polled: Result.Result<BatchSummary, DatabaseUnavailable>,
): LegacyRun => {
  const found = figures.found + accounts
  if (Result.isFailure(polled)) {
    const failures = countReasons(figures.failures, [polled.failure])
    return { ...figures, found, failed: figures.failed + accounts, failures }
  }
  const { failed, sourceFailures, items } = polled.success
  return {
    ...figures,
    found,
    polled: figures.polled + polled.success.polled,
    failed: figures.failed + failed.length,
    items: figures.items + items,
    failures: countReasons(figures.failures, [...failed, ...sourceFailures]),
  }
}

import { Effect } from "effect"
import { providers } from "../domain/provider.ts"
import type { LegacyRun, Suspect } from "./LegacyRun.ts"
import { readAccountsToPoll, readStillToPoll } from "./rows.ts"

// Accounts in whose batch a run ended without a word: of memory, of processor time, or because it was stopped from outside. Some one of
// them may end every run, so they are polled when everybody else has been, one by one, each noted before.

/** How long an account waits that a run ended with while it was polled alone, in milliseconds. */
const aloneMs = 24 * 3_600_000

/** Most accounts of a batch, as LEGACY_BATCH_SIZE has it: more are not read of one that a run ended in. */
const largestBatch = 200

/** Most accounts that are remembered, so that the figures of a run fit into a row. Further ones go back into batches. */
const suspectsKept = 1000

/** The share of a run's time and of its subrequests that is kept for suspects, where there are any. */
export const keptForSuspects = 0.2

/** True for a suspect that may be polled now. */
export const isDue = ({ triedAt }: Suspect, now: number): boolean => triedAt === null || now - triedAt >= aloneMs

/**
 * Reads whom the run before leaves under suspicion: those that it knew, as long as they are to be polled at all, and those of batches
 * that it began and did not end.
 */
export const readSuspects = Effect.fn("legacy.readSuspects")(function* (database: D1Database, before: LegacyRun) {
  const suspects: Array<Suspect> = []
  for (const provider of providers) {
    const known = before.suspects.filter((suspect) => suspect.provider === provider)
    if (known.length > 0) {
      const ids = known.map(({ userId }) => userId)
      const still = yield* readStillToPoll(database, provider, ids)
      suspects.push(...known.filter(({ userId }) => still.has(userId)))
    }
    const range = before.underWay[provider]
    if (range === null) continue
    const accounts = yield* readAccountsToPoll(database, provider, range, largestBatch)
    const added = accounts.filter(({ userId }) => !known.some((suspect) => suspect.userId === userId))
    suspects.push(...added.map((account): Suspect => ({ ...account, triedAt: null })))
    yield* Effect.logError(
      "The run before died while it polled a batch, whose people are polled last now, one by one",
      {
        provider,
        accounts: added.length,
        ...range,
      },
    )
  }
  return suspects.slice(0, suspectsKept)
})

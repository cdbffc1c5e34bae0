/** Most kinds of failure that a summary lists. */
const failuresListed = 20

/** Why wakes failed: one kind of error, how often, and the words of the first. */
interface FailureCount {
  readonly tag: string
  readonly count: number
  readonly example: string
}

/** What a run of cron found and did: the figures of a `cron_run` in `durable_object_metrics`. */
export interface CronRun {
  /** People whose object was overdue, as far as the run got. */
  readonly found: number
  readonly woken: number
  readonly failed: number
  readonly durationMs: number
  readonly failures: ReadonlyArray<FailureCount>
  /** Whether everybody overdue was looked after; false when time or subrequests were up, or D1 gave out, first. */
  readonly isComplete: boolean
  /** The last person that the run got to, where it stopped before the end: the next one goes on from there. */
  readonly stoppedAfter: string | null
}

export type Tally = Pick<CronRun, "found" | "woken" | "failed" | "failures">

export const emptyTally: Tally = { found: 0, woken: 0, failed: 0, failures: [] }

export const countFound = (tally: Tally): Tally => ({ ...tally, found: tally.found + 1 })

export const countWoken = (tally: Tally): Tally => ({ ...tally, woken: tally.woken + 1 })

/** Adds a reason, by tag. */
export const countReason = (tally: Tally, error: { readonly _tag: string; readonly message: string }): Tally => {
  const known = tally.failures.find(({ tag }) => tag === error._tag)
  if (known !== undefined) {
    const raised = { ...known, count: known.count + 1 }
    return { ...tally, failures: tally.failures.map((failure) => (failure === known ? raised : failure)) }
  }
  const added = { tag: error._tag, count: 1, example: error.message }
  return { ...tally, failures: [...tally.failures, added].slice(0, failuresListed) }
}

export const countFailed = (tally: Tally, error: { readonly _tag: string; readonly message: string }): Tally =>
  countReason({ ...tally, failed: tally.failed + 1 }, error)

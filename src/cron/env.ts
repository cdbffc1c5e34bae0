import type { CronEntrypoint } from "../core/entrypoints.ts"

/** The bindings of the cron worker, as its `wrangler.toml` declares them, and its variables. */
export interface CronEnv {
  readonly CORE: Service<typeof CronEntrypoint>
  readonly DB: D1Database
  /** People that one D1 query looks at; 5000 unless set. */
  readonly CRON_PAGE_SIZE?: string
  /** Objects woken at the same time; 20 unless set. */
  readonly CRON_CONCURRENCY?: string
  /** Subrequests that waking may make in a run; 1500 unless set. */
  readonly CRON_REQUEST_LIMIT?: string
  /** How long a run may take, such as `10 minutes`, which it is unless set. */
  readonly CRON_TIME_LIMIT?: string
  /** How long figures of runs are kept, such as `90 days`, which it is unless set. */
  readonly METRICS_RETENTION?: string
}

import { Context, type Effect } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import type { Runs } from "../runs/Runs.ts"

/** The services that a step of a run may use. */
export type StepServices = Core | Database | FeedSources | Runs

/** The point at which a new Workflow instance continues a run. */
export interface Checkpoint {
  readonly pass: number
  readonly page: number
  readonly cursor: string
  /** Steps taken, failed and overtaken in this pass so far. A pass without any is the last. */
  readonly happened: number
  /** When the first failed step is due again: epoch milliseconds. */
  readonly dueAt: number | null
}

/**
 * The durable steps of a run. A finished step is never repeated, whatever is killed: asked again, it returns its stored result. On
 * Cloudflare a Workflow does this; in a test, the process itself.
 */
export class Steps extends Context.Service<
  Steps,
  {
    /** Does a piece of work once, and retries while D1 does not answer. The result has to be JSON. */
    readonly do: <A>(name: string, work: Effect.Effect<A, DatabaseUnavailable, StepServices>) => Effect.Effect<A>
    /** Sleeps. `ms` has to follow from results of steps, so that a repeated run finds the same sleep and skips it. */
    readonly sleep: (name: string, ms: number) => Effect.Effect<void>
    /** Subrequests that an instance may make in all, and how many of them this one has left. */
    readonly calls: { readonly limit: number; readonly left: Effect.Effect<number> }
    /** Interval of a page's heartbeat, in milliseconds; `null` for none. */
    readonly heartbeatMs: number | null
    /** The number of steps after which {@link goOn} is due. */
    readonly atMost: number
    /** Starts a new instance that continues from here. */
    readonly goOn: (checkpoint: Checkpoint) => Effect.Effect<void>
  }
>()("pollen/migration/Steps") {}

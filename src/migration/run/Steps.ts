import { Context, type Effect } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import type { Core } from "../Core.ts"
import type { Database } from "../Database.ts"
import type { FeedSources } from "../FeedSources.ts"
import type { Runs } from "../runs/Runs.ts"

/** What a step of a run may use. */
export type StepServices = Core | Database | FeedSources | Runs

/** Where a run goes on: the state that a new instance of the Workflow is given. */
export interface Checkpoint {
  readonly pass: number
  readonly page: number
  readonly cursor: string
  /** Steps taken, failed and overtaken in this pass so far: a pass in which nothing happened is the last. */
  readonly happened: number
  /** When the first of those is due who have failed; epoch milliseconds. */
  readonly dueAt: number | null
}

/**
 * The durable steps of a run: a finished one is not repeated, whatever is killed, and gives what it gave then. On Cloudflare that is a
 * Workflow; in a test, the process itself.
 */
export class Steps extends Context.Service<
  Steps,
  {
    /** Does a piece of work once, trying again while D1 does not answer. What it gives has to be JSON. */
    readonly do: <A>(name: string, work: Effect.Effect<A, DatabaseUnavailable, StepServices>) => Effect.Effect<A>
    /** How long, in milliseconds, has to follow from what steps gave: a sleep that is over is known by it. */
    readonly sleep: (name: string, ms: number) => Effect.Effect<void>
    /** How often a page under way gives a sign of life, in milliseconds; `null`: never. */
    readonly beatMs: number | null
    /** How many steps may be taken before {@link goOn} is due. */
    readonly atMost: number
    /** Lets a new instance go on from here. */
    readonly goOn: (checkpoint: Checkpoint) => Effect.Effect<void>
  }
>()("pollen/migration/Steps") {}

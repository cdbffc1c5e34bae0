import { env, exports } from "cloudflare:workers"
import { Effect, type Layer } from "effect"
import type { Stage } from "../../src/domain/stage.ts"
import { type SubrequestCount, Subrequests } from "../../src/domain/subrequests.ts"
import type { UserId } from "../../src/domain/user.ts"
import type { StartMove, StartRollback } from "../../src/migration/api/runs.ts"
import { Database } from "../../src/migration/Database.ts"
import type { MigrationEnv } from "../../src/migration/env.ts"
import { Flags } from "../../src/migration/Flags.ts"
import { clearCeilings } from "../../src/migration/people/ceilings.ts"
import { runMove } from "../../src/migration/run/runMove.ts"
import { type Checkpoint, type StepServices, Steps } from "../../src/migration/run/Steps.ts"
import { stepServices } from "../../src/migration/run/stepServices.ts"
import { moveParameters, type RunParameters, rollbackParameters } from "../../src/migration/runs/parameters.ts"
import { Runs } from "../../src/migration/runs/Runs.ts"

/** The bindings that a run works on. */
export type Bindings = Pick<MigrationEnv, "CORE" | "DB">
export const bindings: Bindings = { CORE: exports.MigrationEntrypoint, DB: env.DB }

/** More than any run of a test needs: one that goes on and on is to fail, and not to hang. */
const stepsAtMost = 100

/** Steps of this process: each is done once, and nothing waits. */
const inProcess = (
  { steps, onStep, before, replay, count = { made: 0 } }: Driven,
  services: Layer.Layer<StepServices>,
): Steps["Service"] => {
  let begun = 0
  return {
    do: (name, work) => {
      const stored = replay?.(name)
      if (stored !== undefined) return Effect.succeed(JSON.parse(stored))
      return Effect.promise(async () => {
        begun += 1
        if (begun > stepsAtMost) throw new Error("the run does not end")
        onStep?.(name)
        await before?.(name)
      }).pipe(
        Effect.andThen(Effect.orDie(work.pipe(Effect.provideService(Subrequests, count), Effect.provide(services)))),
      )
    },
    sleep: () => Effect.die(new Error("a test does not wait")),
    heartbeatMs: null,
    calls: { limit: Number.MAX_SAFE_INTEGER, left: Effect.succeed(Number.MAX_SAFE_INTEGER) },
    atMost: Number.POSITIVE_INFINITY,
    goOn: () => Effect.void,
    ...steps,
  }
}

export const withFlags = <A, E>(program: (flags: Flags["Service"]) => Effect.Effect<A, E>) =>
  Effect.runPromise(
    Effect.flatMap(Flags, program).pipe(Effect.provide(Flags.layer), Effect.provide(Database.layer(env.DB))),
  )

/** Everybody named, and nobody else, should be at a stage. */
export const aimAt = (stage: Stage, people: ReadonlyArray<UserId>) =>
  withFlags((flags) =>
    Effect.gen(function* () {
      for (const each of ["dual_write", "shadow", "live", "rampdown", "complete"] as const) {
        const list = each === stage ? { add: people } : { remove: people }
        yield* flags.changeStage(each, { allowList: list })
      }
    }),
  )

interface Driven {
  readonly bindings?: Bindings
  readonly steps?: Partial<Steps["Service"]>
  /** Told the name of each step. */
  readonly onStep?: (name: string) => void
  /** Done before each step. */
  readonly before?: (name: string) => Promise<unknown> | undefined
  readonly mark?: Checkpoint | null
  /** Counts the subrequests of the instance. */
  readonly count?: SubrequestCount
  /** The JSON that the platform stored of a step; `undefined` for a step that is not done yet. */
  readonly replay?: (name: string) => string | undefined
}

/** Writes a run down, and nothing more. */
export const begin = (asked: StartMove, parameters: RunParameters = { ...moveParameters(asked), patienceSeconds: 0 }) =>
  Effect.runPromise(
    Effect.flatMap(Runs, (runs) => runs.create(parameters, "a test")).pipe(Effect.provide(stepServices(bindings))),
  )

/** Sees a run through in this process, from its start. */
export const resume = (id: string, driven: Driven = {}) => {
  const { bindings: given = bindings, mark = null } = driven
  const services = stepServices(given)
  return Effect.runPromise(
    runMove(id, mark).pipe(
      Effect.provideService(Steps, inProcess(driven, services)),
      Effect.andThen(Effect.flatMap(Runs, (runs) => runs.get(id))),
      Effect.provide(services),
    ),
  )
}

/** Ends a run that nobody sees through any more. */
export const cancel = (id: string) =>
  env.DB.prepare("UPDATE migration_runs SET state = 'cancelled' WHERE id = ?1").bind(id).run()

/** Moves people to where the flags say. */
export const move = async (asked: StartMove, driven?: Driven) => resume(await begin(asked), driven)

/** Takes people back. */
export const rollBack = async (asked: StartRollback, driven?: Driven) =>
  resume(await begin({}, { ...rollbackParameters(asked), patienceSeconds: 0 }), driven)

/** Takes away what rollbacks left. */
export const lift = (people: ReadonlyArray<string> | undefined) =>
  Effect.runPromise(clearCeilings(people).pipe(Effect.provide(Database.layer(env.DB))))

/** Where somebody is, by D1. */
export const positionOf = async (userId: string) => {
  const status = await env.DB.prepare(
    `SELECT stage, target, state, reason, attempts, next_attempt_at AS nextAttemptAt, verified_at AS verifiedAt, ceiling,
       (SELECT durable_object_id FROM users WHERE id = user_id) AS durableObjectId
     FROM token_migration_status WHERE user_id = ?1`,
  )
    .bind(userId)
    .first<{
      readonly stage: string
      readonly target: string
      readonly state: string
      readonly reason: string | null
      readonly attempts: number
      readonly nextAttemptAt: number | null
      readonly verifiedAt: number | null
      readonly ceiling: string | null
      readonly durableObjectId: string | null
    }>()
  const history = await env.DB.prepare(
    "SELECT from_stage AS 'from', to_stage AS 'to', outcome, reason FROM token_migration_history WHERE user_id = ?1 ORDER BY id",
  )
    .bind(userId)
    .all<{ readonly from: string; readonly to: string; readonly outcome: string; readonly reason: string | null }>()
  return { ...status, history: history.results }
}

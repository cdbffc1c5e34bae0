import { Clock, Context, Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import { Conflict, type RunNotFound, type ServiceUnavailable } from "../../http/error.ts"
import type { Run, RunState } from "../api/runs.ts"
import { requireTokenColumns } from "../contract/tokenColumns.ts"
import { Database } from "../Database.ts"
import type { MigrationEnv } from "../env.ts"
import { Flags } from "../Flags.ts"
import type { RunParameters } from "../runs/parameters.ts"
import { type RunRow, Runs } from "../runs/Runs.ts"
import { Instances } from "./Instances.ts"

/** A run without a heartbeat for this long may have failed, in milliseconds. */
const silentMs = 10_000

type ControlError = DatabaseUnavailable | RunNotFound | Conflict | ServiceUnavailable

/** Starts, reads, pauses, resumes, cancels and recovers runs. */
export class RunControl extends Context.Service<
  RunControl,
  {
    readonly start: (parameters: RunParameters, operator: string) => Effect.Effect<Run, ControlError>
    /** Reads a run, after recording the failure of an instance that has died. */
    readonly read: (id: string) => Effect.Effect<Run, ControlError>
    readonly pause: (id: string) => Effect.Effect<Run, ControlError>
    readonly resume: (id: string) => Effect.Effect<Run, ControlError>
    readonly cancel: (id: string) => Effect.Effect<Run, ControlError>
    /** Continues the runs whose process was killed. */
    readonly recover: Effect.Effect<ReadonlyArray<Run>, ControlError>
  }
>()("pollen/migration/RunControl") {
  static readonly layer = (workflow: MigrationEnv["MOVE"]): Layer.Layer<RunControl, never, Runs | Flags | Database> =>
    Layer.effect(
      RunControl,
      Effect.gen(function* () {
        const runs = yield* Runs
        const flags = yield* Flags
        const database = yield* Database
        const instances = Instances.of(workflow)

        const requireNotHalted = Effect.fnUntraced(function* () {
          const { isHalted } = yield* flags.rollout
          if (!isHalted) return
          return yield* new Conflict({
            reason: "halted",
            detail:
              "The kill switch is set, so no step is taken, forward or back. Switch it off first; that alone moves nobody",
          })
        })

        /** Records that a run has failed for good: the instance itself cannot, where D1 is what failed it. */
        const recordFailure = Effect.fnUntraced(function* (
          row: Pick<RunRow, "id" | "state" | "updatedAt" | "progress">,
        ) {
          const now = yield* Clock.currentTimeMillis
          if (row.state !== "running" || now - row.updatedAt < silentMs) return
          const reason = yield* instances.failure(row.id, row.progress.instance)
          if (reason !== null) yield* runs.change(row.id, ["running"], "failed", { reason })
        })

        const stop = Effect.fnUntraced(function* ({ id, progress: { instance } }: RunRow) {
          // Each page reads the state first, so the page under way is the last, even if the instance cannot be ended.
          yield* runs.change(id, ["running", "paused"], "cancelled")
          yield* instances.cancel(id, instance)
        })

        /** Cancels what a rollback replaces: every move, and every other rollback if this one is of everybody. */
        const makeWay = Effect.fnUntraced(function* ({ people, at }: RunParameters) {
          const underWay = yield* runs.underWay
          const other = underWay.find(({ parameters }) => parameters.kind === "rollback")
          if (other !== undefined && (people !== null || at !== null)) {
            return yield* new Conflict({
              reason: "rollback_under_way",
              detail: `The rollback ${other.id} is under way. Wait for it or cancel it; a rollback of everybody replaces it`,
            })
          }
          yield* Effect.forEach(underWay, stop, { discard: true })
        })

        const start = Effect.fn("RunControl.start")(function* (parameters: RunParameters, operator: string) {
          yield* Effect.provideService(requireTokenColumns(), Database, database)
          yield* requireNotHalted()
          yield* Effect.forEach(yield* runs.underWay, recordFailure, { discard: true })
          const isUrgent = parameters.kind === "rollback" && !parameters.dryRun
          if (isUrgent) yield* makeWay(parameters)
          const id = yield* runs.create(parameters, operator)
          yield* instances
            .begin({ runId: id, instance: 1, checkpoint: null })
            .pipe(Effect.tapError(({ message }) => runs.change(id, ["running"], "failed", { reason: message })))
          return yield* runs.get(id)
        })

        const change = Effect.fnUntraced(function* (
          id: string,
          from: ReadonlyArray<RunState>,
          to: RunState,
          act: (id: string, instance: number) => Effect.Effect<void, ServiceUnavailable>,
        ) {
          const { progress, state } = yield* runs.find(id)
          if (!from.includes(state)) {
            return yield* new Conflict({
              reason: `run_${state}`,
              detail: `The run is ${state}; it cannot become ${to}`,
            })
          }
          yield* act(id, progress.instance)
          yield* runs.change(id, from, to)
          return yield* runs.get(id)
        })

        return RunControl.of({
          start,
          read: Effect.fn("RunControl.read")(function* (id) {
            yield* Effect.ignore(Effect.flatMap(runs.find(id), recordFailure))
            return yield* runs.get(id)
          }),
          pause: (id) => change(id, ["running"], "paused", instances.pause),
          resume: (id) => change(id, ["paused"], "running", instances.resume),
          cancel: Effect.fn("RunControl.cancel")(function* (id) {
            const row = yield* runs.find(id)
            if (row.state !== "running" && row.state !== "paused") {
              return yield* new Conflict({ reason: `run_${row.state}`, detail: `The run is ${row.state} already` })
            }
            yield* stop(row)
            return yield* runs.get(id)
          }),
          recover: Effect.gen(function* () {
            const running = (yield* runs.list).filter(({ state }) => state === "running")
            for (const { id } of running) {
              const { progress } = yield* runs.find(id)
              yield* instances.recover(id, progress.instance)
            }
            return running
          }),
        })
      }),
    )
}

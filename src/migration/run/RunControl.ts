import { Clock, Context, Effect, Layer } from "effect"
import type { DatabaseUnavailable, Misconfigured } from "../../domain/error.ts"
import { Conflict, type RunNotFound, type ServiceUnavailable } from "../../http/error.ts"
import type { Run, RunState } from "../api/runs.ts"
import { requireTokenColumns } from "../contract/tokenColumns.ts"
import type { MigrationEnv } from "../env.ts"
import { Flags } from "../Flags.ts"
import { finishHandOvers } from "../page/handOvers.ts"
import type { RunParameters } from "../runs/parameters.ts"
import { type RunRow, Runs } from "../runs/Runs.ts"
import { handOversWithin, readCallLimit } from "./callBudget.ts"
import { Instances } from "./Instances.ts"
import type { StepServices } from "./Steps.ts"

/** Hand-overs finished at once. */
const handOversAtMost = 50

/** Rounds of that when a run is cancelled, enough for a page; and twice the calls that a round takes. */
const roundsOfCancel = 10
const callsPerRound = 900

/** A run without a heartbeat for this long may have failed, in milliseconds. */
const silentMs = 10_000

export type ControlError = DatabaseUnavailable | RunNotFound | Conflict | ServiceUnavailable | Misconfigured

/** Starts, reads, pauses, resumes, cancels and recovers runs. */
export class RunControl extends Context.Service<
  RunControl,
  {
    readonly start: (parameters: RunParameters, operator: string) => Effect.Effect<Run, ControlError>
    /** Reads a run, after recording the failure of an instance that has died. */
    readonly read: (id: string) => Effect.Effect<Run, ControlError>
    readonly pause: (id: string) => Effect.Effect<Run, ControlError>
    readonly resume: (id: string) => Effect.Effect<Run, ControlError>
    /**
     * Cancels a run: what its page under way asks for is refused from now on, and hand-overs that it began are finished.
     * `ServiceUnavailable`: all that is done, but the platform has not confirmed that the instance has ended; cancel again, or leave it
     * to `tend`.
     */
    readonly cancel: (id: string) => Effect.Effect<Run, ControlError>
    /** Continues the runs whose process was killed. */
    readonly recover: Effect.Effect<ReadonlyArray<Run>, ControlError>
    /**
     * Puts in order what nobody else does: instances that outlived their run are ended, runs whose instance has failed are recorded, and
     * hand-overs that were left half-done are finished.
     */
    readonly tend: Effect.Effect<void, ControlError>
  }
>()("pollen/migration/RunControl") {
  static readonly layer = ({
    MOVE,
    ...env
  }: Pick<MigrationEnv, "MOVE" | "MOVE_REQUEST_LIMIT">): Layer.Layer<RunControl, never, StepServices | Flags> =>
    Layer.effect(
      RunControl,
      Effect.gen(function* () {
        const runs = yield* Runs
        const flags = yield* Flags
        const services = yield* Effect.context<StepServices>()
        const instances = Instances.of(MOVE)

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

        const endInstance = Effect.fnUntraced(function* ({ id, progress: { instance } }: RunRow) {
          yield* instances.cancel(id, instance)
          yield* runs.change(id, ["cancelled"], "cancelled", { isEnding: false })
        })

        /** Takes everything out of a run's hands. Each page reads the state first, so none begins from now on. */
        const stop = Effect.fnUntraced(function* ({ id }: RunRow) {
          yield* runs.change(id, ["running", "paused"], "cancelled", { isEnding: true })
          yield* runs.breakLeases(id)
        })

        /** Finishes hand-overs, round after round while there are any and this invocation may ask, up to `roundsAtMost`. */
        const finish = Effect.fnUntraced(function* (roundsAtMost: number) {
          const limit = yield* readCallLimit(env)
          const atOnce = handOversWithin(limit, handOversAtMost)
          const rounds = Math.max(1, Math.min(roundsAtMost, Math.floor(limit / callsPerRound)))
          for (let round = 0; round < rounds; round++) {
            if ((yield* Effect.provide(finishHandOvers(atOnce), services)) < atOnce) return
          }
        })

        /** Leaves it to `tend` to ask again where the platform does not answer. */
        const endOrLeave = (row: RunRow) =>
          Effect.catchTag(endInstance(row), "ServiceUnavailable", ({ message }) =>
            Effect.logWarning(`The instance of ${row.id} was not ended; this is tried again`, message),
          )

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
          yield* Effect.forEach(underWay, (row) => Effect.andThen(stop(row), endOrLeave(row)), { discard: true })
        })

        const start = Effect.fn("RunControl.start")(function* (parameters: RunParameters, operator: string) {
          yield* Effect.provide(requireTokenColumns(), services)
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
            const isEnding = row.state === "cancelled" && row.progress.isEnding
            if (row.state !== "running" && row.state !== "paused" && !isEnding) {
              return yield* new Conflict({ reason: `run_${row.state}`, detail: `The run is ${row.state} already` })
            }
            yield* stop(row)
            // The people come first: what the instance still asks for is refused already.
            const ended = yield* Effect.exit(endInstance(row))
            yield* finish(roundsOfCancel)
            yield* ended
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
          tend: Effect.gen(function* () {
            yield* Effect.forEach(yield* runs.ending, endOrLeave, { discard: true })
            yield* Effect.forEach(yield* runs.underWay, recordFailure, { discard: true })
            yield* finish(1)
          }),
        })
      }),
    )
}

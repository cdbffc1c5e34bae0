import { Effect, Option, Schedule } from "effect"
import { ServiceUnavailable } from "../../http/error.ts"
import type { MoveParameters } from "../env.ts"

type Operation = "begin" | "pause" | "resume" | "cancel" | "tell"

const unavailable = (operation: Operation) => (thrown: unknown) =>
  new ServiceUnavailable({
    service: "Workflows",
    operation,
    reason: thrown instanceof Error ? thrown.message : "unknown",
  })

/** The first instance of a run has the run's name; those that continue it are numbered. */
const idOf = (runId: string, instance: number): string => (instance === 1 ? runId : `${runId}-${instance}`)

/** Waits up to 30 s for the step under way to end, so that the instance is paused. */
const untilPaused = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 150 }))

const ended = new Set(["complete", "errored", "terminated"])

/** States in which a pause has been accepted, or comes too late. */
const pauseAccepted = new Set(["paused", "waitingForPause", ...ended])

/** The message of the failure that ended an instance; `null` for any other. */
const failureOf = ({ status, error }: InstanceStatus): string | null =>
  status === "errored" ? (error?.message ?? "unknown") : null

const make = (workflow: Workflow<MoveParameters>) => {
  const get = (runId: string, instance: number) =>
    Effect.tryPromise(() => workflow.get(idOf(runId, instance))).pipe(Effect.option)

  const statusOf = (instance: WorkflowInstance) =>
    Effect.tryPromise({ try: () => instance.status(), catch: unavailable("tell") })

  const on = (operation: "resume" | "terminate", runId: string, instance: number) =>
    Effect.flatMap(
      get(runId, instance),
      Option.match({
        onNone: () => Effect.void,
        onSome: Effect.fnUntraced(function* (found) {
          // An instance that has ended meanwhile needs nothing, and the platform would refuse the call.
          if (ended.has((yield* statusOf(found)).status)) return
          yield* Effect.tryPromise({
            try: () => found[operation](),
            catch: unavailable(operation === "terminate" ? "cancel" : operation),
          })
        }),
      }),
    )

  const begin = Effect.fn("Instances.begin")(function* (parameters: MoveParameters) {
    const { runId, instance } = parameters
    const create = Effect.tryPromise({
      try: () => workflow.create({ id: idOf(runId, instance), params: parameters }),
      catch: unavailable("begin"),
    })
    // An instance that exists already was created by an attempt whose answer was lost.
    yield* Effect.catch(create, (error) =>
      Effect.flatMap(get(runId, instance), (found) => (Option.isSome(found) ? Effect.void : Effect.fail(error))),
    )
  })

  return {
    begin,
    /** Why an instance has failed for good; `null` unless it has. */
    failure: Effect.fn("Instances.failure")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      return Option.isNone(found) ? null : failureOf(yield* statusOf(found.value))
    }),
    /** Pauses a run as soon as the step under way is done. A queued instance is asked again: the platform forgets a pause sent to it. */
    pause: Effect.fn("Instances.pause")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      if (Option.isNone(found)) return
      yield* Effect.tryPromise({ try: () => found.value.pause(), catch: unavailable("pause") }).pipe(
        Effect.andThen(statusOf(found.value)),
        Effect.flatMap(({ status }) =>
          pauseAccepted.has(status) ? Effect.void : Effect.fail(unavailable("pause")(status)),
        ),
        Effect.retry(untilPaused),
      )
    }),
    resume: (runId: string, instance: number) => on("resume", runId, instance),
    cancel: (runId: string, instance: number) => on("terminate", runId, instance),
    /** Continues a run whose process was killed, or whose instance was never created. A run that is alive is only paused for a moment. */
    recover: Effect.fn("Instances.recover")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      if (Option.isNone(found)) return yield* begin({ runId, instance, checkpoint: null })
      if (ended.has((yield* statusOf(found.value)).status)) return
      yield* Effect.tryPromise({ try: () => found.value.pause(), catch: unavailable("pause") })
      yield* statusOf(found.value).pipe(
        Effect.flatMap(({ status }) => (status === "paused" ? Effect.void : Effect.fail(unavailable("pause")(status)))),
        Effect.retry(untilPaused),
      )
      yield* Effect.tryPromise({ try: () => found.value.resume(), catch: unavailable("resume") })
    }),
  }
}

/** The Workflow instances of runs. */
export const Instances = { of: make }

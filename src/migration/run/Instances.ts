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

/** The first instance of a run has its name; those that go on with it are numbered. */
const idOf = (runId: string, instance: number): string => (instance === 1 ? runId : `${runId}-${instance}`)

/** How long it is waited for a step under way to end before a run is paused, and how often it is looked. */
const untilPaused = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 150 }))

const over = new Set(["complete", "errored", "terminated"])

/** In these a pause has been taken in, or comes too late. */
const held = new Set(["paused", "waitingForPause", ...over])

/** What an instance ended with, if it ended by a failure. */
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
          // One that has ended meanwhile needs nothing, and the platform would refuse it.
          if (over.has((yield* statusOf(found)).status)) return
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
    // One that is there already was begun by an attempt whose answer was lost.
    yield* Effect.catch(create, (error) =>
      Effect.flatMap(get(runId, instance), (found) => (Option.isSome(found) ? Effect.void : Effect.fail(error))),
    )
  })

  return {
    begin,
    /** Why an instance has failed for good; `null` where it has not. */
    failure: Effect.fn("Instances.failure")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      return Option.isNone(found) ? null : failureOf(yield* statusOf(found.value))
    }),
    /** Holds a run as soon as the step under way is done. One that is only queued yet is asked again: the platform forgets it. */
    pause: Effect.fn("Instances.pause")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      if (Option.isNone(found)) return
      yield* Effect.tryPromise({ try: () => found.value.pause(), catch: unavailable("pause") }).pipe(
        Effect.andThen(statusOf(found.value)),
        Effect.flatMap(({ status }) => (held.has(status) ? Effect.void : Effect.fail(unavailable("pause")(status)))),
        Effect.retry(untilPaused),
      )
    }),
    resume: (runId: string, instance: number) => on("resume", runId, instance),
    cancel: (runId: string, instance: number) => on("terminate", runId, instance),
    /** Goes on with a run whose process was killed, or that was never begun; one that is running is only held for a moment. */
    recover: Effect.fn("Instances.recover")(function* (runId: string, instance: number) {
      const found = yield* get(runId, instance)
      if (Option.isNone(found)) return yield* begin({ runId, instance, checkpoint: null })
      if (over.has((yield* statusOf(found.value)).status)) return
      yield* Effect.tryPromise({ try: () => found.value.pause(), catch: unavailable("pause") })
      yield* statusOf(found.value).pipe(
        Effect.flatMap(({ status }) => (status === "paused" ? Effect.void : Effect.fail(unavailable("pause")(status)))),
        Effect.retry(untilPaused),
      )
      yield* Effect.tryPromise({ try: () => found.value.resume(), catch: unavailable("resume") })
    }),
  }
}

/** Instances of the Workflow, by run. */
export const Instances = { of: make }

import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { encodeEvents, eventStream, renderEvent, renderProblem, wantsEvents } from "../../http/events.ts"
import { answerProblems, type HttpError } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Operator } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import type { Run } from "../api/runs.ts"
import { Database } from "../Database.ts"
import { clearCeilings, countCeilings } from "../people/ceilings.ts"
import { RunControl } from "../run/RunControl.ts"
import { moveParameters, rollbackParameters } from "../runs/parameters.ts"
import { Runs } from "../runs/Runs.ts"

/** Interval at which a watched run is read. */
const watchInterval = "1 second"

const isOver = ({ state }: Run): boolean => state !== "running" && state !== "paused"

/** Streams a run as server-sent events: `progress` each time it is read, and one `done` when it is over. */
const watch = (read: Effect.Effect<Run, HttpError>): Stream.Stream<Uint8Array> => {
  const events = Stream.tick(watchInterval).pipe(
    Stream.mapEffect(() => read),
    Stream.takeUntil(isOver),
    Stream.map((run) => renderEvent(isOver(run) ? "done" : "progress", run)),
    Stream.catchCause((cause) => Stream.fromEffect(renderProblem("getRun", cause))),
  )
  return encodeEvents(events)
}

export const runsLayer = HttpApiBuilder.group(
  Api,
  "runs",
  Effect.fnUntraced(function* (handlers) {
    const runs = yield* Runs
    const control = yield* RunControl
    const database = yield* Database
    const { act } = yield* Audit
    const inDatabase = Effect.provideService(Database, database)
    return handlers.handleAll({
      startMove: Effect.fn("startMove")(function* ({ payload }) {
        return yield* act("startMove", payload, control.start(moveParameters(payload), yield* Operator))
      }, answerProblems),
      startRollback: Effect.fn("startRollback")(function* ({ payload }) {
        return yield* act("startRollback", payload, control.start(rollbackParameters(payload), yield* Operator))
      }, answerProblems),
      listRuns: () => answerProblems(Effect.map(runs.list, (listed) => ({ runs: listed }))),
      getRun: Effect.fn("getRun")(function* ({ params: { id }, headers }) {
        const run = yield* control.read(id)
        return wantsEvents(headers.accept)
          ? HttpServerResponse.stream(watch(control.read(id)), { contentType: eventStream })
          : run
      }, answerProblems),
      pauseRun: ({ params: { id } }) => answerProblems(act("pauseRun", { id }, control.pause(id))),
      resumeRun: ({ params: { id } }) => answerProblems(act("resumeRun", { id }, control.resume(id))),
      cancelRun: ({ params: { id } }) => answerProblems(act("cancelRun", { id }, control.cancel(id))),
      recoverRuns: () =>
        answerProblems(
          act(
            "recoverRuns",
            {},
            Effect.map(control.recover, (recovered) => ({ runs: recovered })),
          ),
        ),
      clearCeilings: ({ payload }) =>
        answerProblems(
          payload.isDry === true
            ? inDatabase(countCeilings(payload.people))
            : act("clearCeilings", payload, inDatabase(clearCeilings(payload.people))),
        ),
    })
  }),
)

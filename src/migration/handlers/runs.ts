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
import { clearCeilings, countCeilings } from "../people/counts.ts"
import { RunControl } from "../run/RunControl.ts"
import { moveParameters, rollbackParameters } from "../runs/parameters.ts"
import { Runs } from "../runs/Runs.ts"

/** How often progress is looked at while somebody watches. */
const watchInterval = "1 second"

const isOver = ({ state }: Run): boolean => state !== "running" && state !== "paused"

/** A run as server-sent events: `progress` each time it is looked at, and one `done` when it is over. */
const watch = (look: Effect.Effect<Run, HttpError>): Stream.Stream<Uint8Array> => {
  const looks = Stream.tick(watchInterval).pipe(
    Stream.mapEffect(() => look),
    Stream.takeUntil(isOver),
    Stream.map((run) => renderEvent(isOver(run) ? "done" : "progress", run)),
    Stream.catchCause((cause) => Stream.fromEffect(renderProblem("getRun", cause))),
  )
  return encodeEvents(looks)
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
        const run = yield* control.look(id)
        return wantsEvents(headers.accept)
          ? HttpServerResponse.stream(watch(control.look(id)), { contentType: eventStream })
          : run
      }, answerProblems),
      pauseRun: ({ params: { id } }) => answerProblems(act("pauseRun", { id }, control.pause(id))),
      resumeRun: ({ params: { id } }) => answerProblems(act("resumeRun", { id }, control.resume(id))),
      cancelRun: ({ params: { id } }) => answerProblems(act("cancelRun", { id }, control.cancel(id))),
      takeOnRuns: () =>
        answerProblems(
          act(
            "takeOnRuns",
            {},
            Effect.map(control.recover, (taken) => ({ runs: taken })),
          ),
        ),
      lift: ({ payload }) =>
        answerProblems(
          payload.isDry === true
            ? inDatabase(countCeilings(payload.people))
            : act("lift", payload, inDatabase(clearCeilings(payload.people))),
        ),
    })
  }),
)

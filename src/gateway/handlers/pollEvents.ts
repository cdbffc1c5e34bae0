import { Cause, Clock, Effect, Option, Queue, Stream } from "effect"
import { Sse } from "effect/encoding"
import { toInternalError } from "../../http/defect.ts"
import { type HttpError, toProblem } from "../../http/problem.ts"
import type { PollProgress } from "../../rpc/methods.ts"
import type { PollSummary } from "../api/polling.ts"

/** A comment this often keeps proxies from giving up on a quiet stream. */
const heartbeatInterval = "15 seconds"
const heartbeat = ": polling\n\n"

const render = (event: "progress" | "done" | "problem", body: object): string =>
  Sse.encoder.write({ _tag: "Event", event, id: undefined, data: JSON.stringify(body) })

const renderProblem = (cause: Cause.Cause<HttpError>): Effect.Effect<string> =>
  Effect.gen(function* () {
    const expected = Cause.findErrorOption(cause)
    const error = Option.isSome(expected) ? expected.value : yield* toInternalError("pollNow", cause)
    return render("problem", toProblem(error, yield* Clock.currentTimeMillis))
  })

/**
 * A poll as server-sent events: `progress` after each source, then one `done` with the summary or one `problem` with
 * problem details. A client that goes away ends the stream; progress that comes later is dropped.
 */
export const pollEvents = (
  poll: (onProgress: (progress: PollProgress) => void) => Effect.Effect<typeof PollSummary.Type, HttpError>,
): Stream.Stream<Uint8Array> => {
  const events = Stream.callback<string>((queue) =>
    poll((progress) => {
      Queue.offerUnsafe(queue, render("progress", progress))
    }).pipe(
      Effect.map((summary) => render("done", summary)),
      Effect.catchCause(renderProblem),
      Effect.flatMap((end) => Queue.offer(queue, end)),
      Effect.andThen(Queue.end(queue)),
    ),
  )
  // The first tick is at once, when there is nothing to bridge yet.
  const heartbeats = Stream.tick(heartbeatInterval).pipe(
    Stream.drop(1),
    Stream.map(() => heartbeat),
  )
  return events.pipe(Stream.merge(heartbeats, { haltStrategy: "left" }), Stream.encodeText)
}

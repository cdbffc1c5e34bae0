import { Cause, Clock, Effect, Option, Stream } from "effect"
import { Sse } from "effect/encoding"
import { toInternalError } from "./defect.ts"
import { type HttpError, toProblem } from "./problem.ts"

/** A comment this often keeps proxies from giving up on a quiet stream. */
const heartbeatInterval = "15 seconds"
const heartbeat = ": waiting\n\n"

/** What a stream of server-sent events is sent as. */
export const eventStream = "text/event-stream"

/** Whether an `Accept` header asks for server-sent events. */
export const wantsEvents = (accept = ""): boolean =>
  accept.split(",").some((type) => type.split(";")[0]?.trim().toLowerCase() === eventStream)

/** One server-sent event. */
export const renderEvent = (event: "progress" | "done" | "problem", body: object): string =>
  Sse.encoder.write({ _tag: "Event", event, id: undefined, data: JSON.stringify(body) })

/** The last event of a stream that failed: problem details. */
export const renderProblem = (operation: string, cause: Cause.Cause<HttpError>): Effect.Effect<string> =>
  Effect.gen(function* () {
    const expected = Cause.findErrorOption(cause)
    const error = Option.isSome(expected) ? expected.value : yield* toInternalError(operation, cause)
    return renderEvent("problem", toProblem(error, yield* Clock.currentTimeMillis))
  })

/** Events as bytes, with a heartbeat while there are none. Ends when they end. */
export const encodeEvents = <E, R>(events: Stream.Stream<string, E, R>): Stream.Stream<Uint8Array, E, R> => {
  // The first tick is at once, when there is nothing to bridge yet.
  const heartbeats = Stream.tick(heartbeatInterval).pipe(
    Stream.drop(1),
    Stream.map(() => heartbeat),
  )
  return events.pipe(Stream.merge(heartbeats, { haltStrategy: "left" }), Stream.encodeText)
}

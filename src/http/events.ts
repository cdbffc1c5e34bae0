import { Cause, Clock, Effect, Option, Stream } from "effect"
import { Sse } from "effect/encoding"
import { toInternalError } from "./defect.ts"
import { type HttpError, toProblem } from "./problem.ts"

/** Proxies close a stream without data; a comment at this interval prevents that. */
const heartbeatInterval = "15 seconds"
const heartbeat = ": waiting\n\n"

/** The media type of server-sent events. */
export const eventStream = "text/event-stream"

/** Whether an `Accept` header asks for server-sent events. */
export const wantsEvents = (accept = ""): boolean =>
  accept.split(",").some((type) => type.split(";")[0]?.trim().toLowerCase() === eventStream)

/** Renders one server-sent event. */
export const renderEvent = (event: "progress" | "done" | "problem", body: object): string =>
  Sse.encoder.write({ _tag: "Event", event, id: undefined, data: JSON.stringify(body) })

/** Renders the last event of a stream that failed: a problem document. */
export const renderProblem = (operation: string, cause: Cause.Cause<HttpError>): Effect.Effect<string> =>
  Effect.gen(function* () {
    const expected = Cause.findErrorOption(cause)
    const error = Option.isSome(expected) ? expected.value : yield* toInternalError(operation, cause)
    return renderEvent("problem", toProblem(error, yield* Clock.currentTimeMillis))
  })

/** Encodes events as bytes, with heartbeats in between. Ends when the events end. */
export const encodeEvents = <E, R>(events: Stream.Stream<string, E, R>): Stream.Stream<Uint8Array, E, R> => {
  // The first tick comes at once, before a heartbeat is needed.
  const heartbeats = Stream.tick(heartbeatInterval).pipe(
    Stream.drop(1),
    Stream.map(() => heartbeat),
  )
  return events.pipe(Stream.merge(heartbeats, { haltStrategy: "left" }), Stream.encodeText)
}

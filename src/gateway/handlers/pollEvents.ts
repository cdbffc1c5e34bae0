import { Effect, Queue, Stream } from "effect"
import { encodeEvents, renderEvent, renderProblem } from "../../http/events.ts"
import type { HttpError } from "../../http/problem.ts"
import type { PollProgress } from "../../rpc/methods.ts"
import type { PollSummary } from "../api/polling.ts"

/**
 * A poll as server-sent events: `progress` after each source, then one `done` with the summary or one `problem` with
 * problem details. A client that goes away ends the stream; progress that comes later is dropped.
 */
export const pollEvents = (
  poll: (onProgress: (progress: PollProgress) => void) => Effect.Effect<typeof PollSummary.Type, HttpError>,
): Stream.Stream<Uint8Array> =>
  encodeEvents(
    Stream.callback<string>((queue) =>
      poll((progress) => {
        Queue.offerUnsafe(queue, renderEvent("progress", progress))
      }).pipe(
        Effect.map((summary) => renderEvent("done", summary)),
        Effect.catchCause((cause) => renderProblem("pollNow", cause)),
        Effect.flatMap((end) => Queue.offer(queue, end)),
        Effect.andThen(Queue.end(queue)),
      ),
    ),
  )

import { Runtime, Schema } from "effect"

/** The run came to its end and something was lost or doubled. */
export class PromiseBroken extends Schema.TaggedError<PromiseBroken>()("PromiseBroken", { message: Schema.String }) {
  override readonly [Runtime.errorExitCode] = 1
}

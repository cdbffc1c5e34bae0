import { Schema } from "effect"
import { Provider } from "../domain/provider.ts"

/** The run has neither the time nor the subrequests for another question. Nothing is wrong: the next run goes on. */
export class RunSpent extends Schema.TaggedError<RunSpent>()("RunSpent", {}) {
  override get message(): string {
    return "the run has no time or subrequests left; the next one goes on"
  }
}

/** A run died while it polled this account alone, so that it is left alone for a day. */
export class PollDied extends Schema.TaggedError<PollDied>()("PollDied", {
  provider: Provider,
  userId: Schema.String,
}) {
  override get message(): string {
    return `a run died while it polled ${this.provider} for ${this.userId}, which waits for a day`
  }
}

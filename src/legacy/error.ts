import { Schema } from "effect"

/** The run has neither the time nor the subrequests for another question. Nothing is wrong: the next run goes on. */
export class RunSpent extends Schema.TaggedError<RunSpent>()("RunSpent", {}) {
  override get message(): string {
    return "the run has no time or subrequests left; the next one goes on"
  }
}

import { Schema } from "effect"

/** A worker did not answer. While the runtime is killed and restarted that is expected, and callers retry. */
export class WorkersSilent extends Schema.TaggedError<WorkersSilent>()("WorkersSilent", { message: Schema.String }) {}

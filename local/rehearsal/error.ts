import { Schema } from "effect"

/** A worker did not answer: while the runtime is being killed that is no wonder, and whoever asked tries again. */
export class WorkersSilent extends Schema.TaggedError<WorkersSilent>()("WorkersSilent", { message: Schema.String }) {}

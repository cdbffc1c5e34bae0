import { Layer } from "effect"
import { Core } from "../Core.ts"
import { Database } from "../Database.ts"
import type { MigrationEnv } from "../env.ts"
import { FeedSources } from "../FeedSources.ts"
import { Runs } from "../runs/Runs.ts"
import type { StepServices } from "./Steps.ts"

/** The services that the steps of a run use, on the worker's bindings. */
export const stepServices = ({ CORE, DB }: Pick<MigrationEnv, "CORE" | "DB">): Layer.Layer<StepServices> =>
  Layer.mergeAll(Core.layer(CORE), FeedSources.layer(DB), Runs.layer).pipe(Layer.provideMerge(Database.layer(DB)))

import { Effect, Layer } from "effect"
import type { MigrationEnv } from "../../src/migration/env.ts"
import { Flags } from "../../src/migration/Flags.ts"
import { RunControl } from "../../src/migration/run/RunControl.ts"
import { stepServices } from "../../src/migration/run/stepServices.ts"
import { bindings } from "./driver.ts"

/** How the platform answers when it is asked to end an instance. */
interface Platform {
  readonly terminate: () => Promise<void>
}

/** A platform on which every instance runs, whatever has become of its run. */
const workflowOn = ({ terminate }: Platform): MigrationEnv["MOVE"] => {
  const instance = { status: async () => ({ status: "running" }), terminate }
  const none = () => Promise.reject(new Error("not asked for here"))
  return {
    get: async () => Object.assign(Object.create(null), instance),
    create: none,
    createBatch: none,
    deleteBatch: none,
  }
}

/** Runs something with the control of runs, on a platform that ends instances as told. */
export const withControl = <A, E>(
  program: (control: RunControl["Service"]) => Effect.Effect<A, E>,
  terminate: Platform["terminate"] = async () => {},
) =>
  Effect.runPromise(
    Effect.flatMap(RunControl, program).pipe(
      Effect.provide(
        RunControl.layer({ MOVE: workflowOn({ terminate }) }).pipe(
          Layer.provideMerge(Flags.layer),
          Layer.provideMerge(stepServices(bindings)),
        ),
      ),
    ),
  )

/** A platform that cannot be reached. */
export const unreachable = () => Promise.reject(new Error("Workflows is not available"))

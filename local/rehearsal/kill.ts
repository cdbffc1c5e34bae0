import { Effect } from "effect"
import { runtimeProcesses } from "../stack/runtime.ts"

/**
 * Ends the workers' runtime as a loss of power would, with everything that is under way in it, and returns how many processes
 * that were. Only children of this very process are touched.
 */
export const killRuntime = Effect.tap(Effect.promise(runtimeProcesses), (all) =>
  Effect.sync(() => {
    for (const { pid } of all) process.kill(pid, "SIGKILL")
  }),
)

import { Effect } from "effect"

const isStop = (event: string | symbol): boolean => event === "SIGINT" || event === "SIGTERM"

/**
 * Ctrl-C is answered by the main program alone, which closes everything in order. Wrangler and its runtime would listen too,
 * and end the process with a failure before it has closed; what they do when a process exits they still do.
 */
export const keepSignals = Effect.acquireRelease(
  Effect.sync(() => {
    // Workers that are still starting finish that first: a person should see that they were heard.
    const acknowledge = () => process.stderr.isTTY && process.stderr.write("\nstopping\n")
    process.once("SIGINT", acknowledge)
    const refuse = (event: string | symbol, listener: (...parameters: Array<unknown>) => void) => {
      if (isStop(event)) queueMicrotask(() => process.removeListener(String(event), listener))
    }
    process.on("newListener", refuse)
    return { refuse, acknowledge }
  }),
  ({ refuse, acknowledge }) =>
    Effect.sync(() => {
      process.removeListener("newListener", refuse)
      process.removeListener("SIGINT", acknowledge)
    }),
)

import { Effect } from "effect"
import type { Output } from "./whileWaiting.ts"

const isStop = (event: string | symbol): boolean => event === "SIGINT" || event === "SIGTERM"

/**
 * Leaves Ctrl-C to the main program alone, which closes everything in order. Wrangler and its runtime would listen too, and end the
 * process with a failure before it has closed; what they do when a process exits they still do. `farewell` is shown at once, so that
 * a person sees that they were heard.
 */
export const keepSignals = (output: Output, farewell: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const acknowledge = () => output.write(`${output.isTTY === true ? "\n" : ""}${farewell}\n`)
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

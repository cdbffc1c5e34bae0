import { Effect } from "effect"
import type { Output } from "./whileWaiting.ts"

const stops = ["SIGINT", "SIGTERM"] as const
const isStop = (event: string | symbol): boolean => stops.some((stop) => stop === event)

let isRestoring = false

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
      // A terminal that is closed: children in groups of their own are not told.
      const hangUp = () => process.kill(process.pid, "SIGTERM")
      process.once("SIGHUP", hangUp)
      const refuse = (event: string | symbol, listener: (...parameters: Array<unknown>) => void) => {
        if (isStop(event) && !isRestoring) queueMicrotask(() => process.removeListener(String(event), listener))
      }
      process.on("newListener", refuse)
      return { refuse, acknowledge, hangUp }
    }),
    ({ refuse, acknowledge, hangUp }) =>
      Effect.sync(() => {
        process.removeListener("newListener", refuse)
        process.removeListener("SIGINT", acknowledge)
        process.removeListener("SIGHUP", hangUp)
      }),
  )

/**
 * Loads wrangler. That takes seconds in which this process hears nothing, so Ctrl-C ends it without its listeners meanwhile: nothing has
 * been started yet that would have to be closed.
 */
export const loadWrangler = Effect.acquireUseRelease(
  Effect.sync(() => {
    const listeners = stops.map((stop) => [stop, process.rawListeners(stop)] as const)
    for (const stop of stops) process.removeAllListeners(stop)
    return listeners
  }),
  () => Effect.promise(() => import("wrangler")),
  (listeners) =>
    Effect.sync(() => {
      isRestoring = true
      for (const [stop, all] of listeners) {
        for (const listener of all) Reflect.apply(process.on, process, [stop, listener])
      }
      isRestoring = false
    }),
)

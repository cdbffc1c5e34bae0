import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Effect } from "effect"

const run = promisify(execFile)

/** Processes of the workers' runtime that this process has started, by `ps`, which every Unix has. Memory in kilobytes. */
const runtimeProcesses = Effect.promise(async () => {
  const { stdout } = await run("ps", ["-A", "-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "comm="])
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, , ...command]) => parent === String(process.pid) && command.join(" ").includes("workerd"))
    .map(([pid, , memory]) => ({ pid: Number(pid), memory: Number(memory) }))
})

/** Memory of the runtime with all workers and objects in it, in megabytes. */
export const runtimeMemory = Effect.map(runtimeProcesses, (all) =>
  Math.round(all.reduce((sum, { memory }) => sum + memory, 0) / 1024),
)

/**
 * Ends the workers' runtime as a loss of power would, with everything that is under way in it, and returns how many processes
 * that were. Only children of this very process are touched.
 */
export const killRuntime = Effect.tap(runtimeProcesses, (all) =>
  Effect.sync(() => {
    for (const { pid } of all) process.kill(pid, "SIGKILL")
  }),
)

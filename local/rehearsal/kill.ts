import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Effect } from "effect"

const run = promisify(execFile)

/** Processes of the workers' runtime that this process has started, by `ps`, which every Unix has. */
const runtimeProcesses = Effect.promise(async () => {
  const { stdout } = await run("ps", ["-A", "-o", "pid=", "-o", "ppid=", "-o", "comm="])
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...command]) => parent === String(process.pid) && command.join(" ").includes("workerd"))
    .map(([pid]) => Number(pid))
})

/**
 * Ends the workers' runtime as a loss of power would, with everything that is under way in it, and returns how many processes
 * that were. Only children of this very process are touched.
 */
export const killRuntime = Effect.tap(runtimeProcesses, (pids) =>
  Effect.sync(() => {
    for (const pid of pids) process.kill(pid, "SIGKILL")
  }),
)

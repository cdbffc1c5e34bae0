import { execFile } from "node:child_process"
import { promisify } from "node:util"

const run = promisify(execFile)

/** Processes of the workers' runtime that this process has started, by `ps`, which every Unix has. Memory in kilobytes. */
export const runtimeProcesses = async (): Promise<ReadonlyArray<{ readonly pid: number; readonly memory: number }>> => {
  const { stdout } = await run("ps", ["-A", "-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "comm="])
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, , ...command]) => parent === String(process.pid) && command.join(" ").includes("workerd"))
    .map(([pid, , memory]) => ({ pid: Number(pid), memory: Number(memory) }))
}

/** Memory of the runtime with all workers and objects in it, in megabytes. */
export const runtimeMemory = async (): Promise<number> =>
  Math.round((await runtimeProcesses()).reduce((sum, { memory }) => sum + memory, 0) / 1024)

import { readFileSync } from "node:fs"
import { runtimeProcesses } from "../local/stack/runtime.ts"

/** Clock ticks of a second, in which Linux counts: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const ticksPerSecond = 100

/** Processor time of the workers' runtime so far, in milliseconds; `null` where the system does not tell it. */
export const runtimeCpuMs = async (): Promise<number | null> => {
  try {
    const ticks = (await runtimeProcesses()).map(({ pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
      return Number(fields[11]) + Number(fields[12])
    })
    return (ticks.reduce((sum, one) => sum + one, 0) * 1000) / ticksPerSecond
  } catch {
    return null
  }
}

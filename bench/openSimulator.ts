import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { SimulatorClient } from "../local/simulator/client.ts"

const script = fileURLToPath(new URL("../local/simulator/main.ts", import.meta.url))

/** The address of a simulator, once it listens. */
const addressOf = async (child: ChildProcess): Promise<string> => {
  for await (const chunk of child.stdout ?? []) {
    const url = /http:\/\/\S+/.exec(String(chunk))?.[0]
    if (url !== undefined) return url
  }
  throw new Error("the simulator ended before it listened")
}

/** Starts the simulator beside us and not in this process: it must not wait for whoever measures. */
export const openSimulator = async () => {
  const child = spawn(process.execPath, [script, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] })
  return {
    simulator: new SimulatorClient(await addressOf(child)),
    close: async () => {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    },
  }
}

import { parseArgs } from "node:util"
import { startSimulator } from "./server/start.ts"

// node local/simulator/main.ts --port 8799 [--seed 1]
const { values } = parseArgs({
  options: { port: { type: "string", default: "8799" }, seed: { type: "string", default: "1" } },
})
const simulator = await startSimulator({ port: Number(values.port), seed: Number(values.seed) })
process.stdout.write(`The simulator of Spotify and YouTube listens at ${simulator.url}\n`)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void simulator.close())

import type { TestProject } from "vitest/node"
import { startSimulator } from "../../local/simulator/server/start.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly simulatorUrl: string
    readonly strictSimulatorUrl: string
  }
}

/** One simulator for all tests in workerd, and a strict one; people and sources of their own keep tests apart. */
export default async function setup(project: TestProject) {
  const simulator = await startSimulator({ seed: 1 })
  const strict = await startSimulator({
    seed: 2,
    refreshTokenRotation: { spotify: "single-use", youtube: "single-use" },
    severalEndpoints: true,
  })
  project.provide("simulatorUrl", simulator.url)
  project.provide("strictSimulatorUrl", strict.url)
  return () => Promise.all([simulator.close(), strict.close()])
}

import type { TestProject } from "vitest/node"
import { startSimulator } from "./server/start.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly simulatorUrl: string
  }
}

/** One simulator for all tests in workerd; people and sources of their own keep tests apart. */
export default async function setup(project: TestProject) {
  const simulator = await startSimulator({ seed: 1 })
  project.provide("simulatorUrl", simulator.url)
  return () => simulator.close()
}

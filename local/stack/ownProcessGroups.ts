import childProcess from "node:child_process"
import { Effect } from "effect"

/** The parameters of `spawn`, of which the last may be options. */
const detached = (parameters: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const last = parameters.at(-1)
  return typeof last === "object" && last !== null && !Array.isArray(last)
    ? [...parameters.slice(0, -1), { ...last, detached: true }]
    : [...parameters, { detached: true }]
}

/**
 * Gives every child that is started meanwhile a process group of its own. A terminal sends Ctrl-C to the whole group in front, so the
 * workers' runtime would die before it is closed, and wrangler would take that for a crash and start it again.
 */
export const ownProcessGroups = Effect.acquireRelease(
  Effect.sync(() => {
    const { spawn } = childProcess
    const spawnDetached = (...parameters: ReadonlyArray<unknown>): unknown =>
      Reflect.apply(spawn, childProcess, detached(parameters))
    // On Windows a detached child opens a window, and Ctrl-C is another matter.
    if (process.platform !== "win32") Object.assign(childProcess, { spawn: spawnDetached })
    return spawn
  }),
  (spawn) => Effect.sync(() => Object.assign(childProcess, { spawn })),
)

import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Clock, Effect, Option, Schema } from "effect"
import { toCannotStart } from "./error.ts"
import { makeFolder } from "./makeFolder.ts"

/** A stack that runs on this machine, for commands in other terminals. */
const RunningStack = Schema.Struct({
  /** Of the gateway. */
  url: Schema.String,
  migrationUrl: Schema.String,
  /** `live`: with the real providers, and a database that stays. */
  kind: Schema.Literals(["simulated", "live"]),
  pid: Schema.Int,
  /** Epoch milliseconds. */
  startedAt: Schema.Int,
})
export type RunningStack = typeof RunningStack.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(RunningStack))
const folderOf = (stateDir: string): string => join(stateDir, "stacks")

const isAlive = (pid: number): boolean => {
  try {
    // Signal 0 is sent to nobody: it only tells whether there is somebody.
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** What a stack's file says; the file of a process that has ended without deleting it is deleted. */
const readStack = async (file: string): Promise<ReadonlyArray<RunningStack>> => {
  const stack = Option.getOrUndefined(decode(await readFile(file, "utf8").catch(() => "")))
  if (stack !== undefined && isAlive(stack.pid)) return [stack]
  if (stack !== undefined) await rm(file, { force: true }).catch(() => undefined)
  return []
}

/** The stacks of this machine that keep their keys in `stateDir`, oldest first. */
export const readStacks = (stateDir: string): Effect.Effect<ReadonlyArray<RunningStack>> =>
  Effect.promise(async () => {
    const folder = folderOf(stateDir)
    const files = await readdir(folder).catch((): ReadonlyArray<string> => [])
    const stacks = await Promise.all(
      files.filter((name) => name.endsWith(".json")).map((name) => readStack(join(folder, name))),
    )
    return stacks.flat().toSorted((one, other) => one.startedAt - other.startedAt)
  })

/** Says where this process's stack is, for as long as the scope lasts. */
export const announceStack = Effect.fn("announceStack")(function* (
  stateDir: string,
  about: Pick<RunningStack, "url" | "migrationUrl" | "kind">,
) {
  const folder = folderOf(stateDir)
  const file = join(folder, `${process.pid}.json`)
  const stack: RunningStack = { ...about, pid: process.pid, startedAt: yield* Clock.currentTimeMillis }
  yield* makeFolder(folder)
  // Those of stacks that did not come to delete theirs go now.
  yield* readStacks(stateDir)
  yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => writeFile(file, `${JSON.stringify(stack)}\n`, { mode: 0o600 }),
      catch: toCannotStart(file),
    }),
    () => Effect.promise(() => rm(file, { force: true })),
  )
})

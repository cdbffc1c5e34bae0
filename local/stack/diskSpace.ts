import { statfs } from "node:fs/promises"
import { Effect } from "effect"
import { CannotStart, toCannotStart } from "../../src/cli/state/error.ts"

/** Bytes that a run of the usual size needs on disk, and some more. */
const needed = 100_000_000

const megabytes = (bytes: number) => `${Math.floor(bytes / 1_000_000)} MB`

/** Fails before anything is started if the disk of a folder is full: the workers would say so in words of their own. */
export const checkDiskSpace = Effect.fn("checkDiskSpace")(function* (folder: string, atLeast: number = needed) {
  const { bavail, bsize } = yield* Effect.tryPromise({ try: () => statfs(folder), catch: toCannotStart(folder) })
  const free = bavail * bsize
  if (free >= atLeast) return
  return yield* new CannotStart({
    message: `The disk is full: ${megabytes(free)} are free for ${folder}, and ${megabytes(atLeast)} are needed; free some and start again.`,
  })
})

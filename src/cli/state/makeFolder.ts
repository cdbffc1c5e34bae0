import { mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { Effect } from "effect"
import { toCannotStart } from "./error.ts"

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** One folder after another: `mkdir` with `recursive` never returns where a folder cannot hold any, as in /proc. */
const make = async (path: string): Promise<void> => {
  if (await isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) await make(parent)
  await mkdir(path).catch(async (error: unknown) => {
    // Another process may have made it in between.
    if (!(await isFolder(path))) throw error
  })
}

/** Makes a folder and those that it is in, where they are missing. */
export const makeFolder = (path: string) => Effect.tryPromise({ try: () => make(path), catch: toCannotStart(path) })

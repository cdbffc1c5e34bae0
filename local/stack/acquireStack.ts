import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { toCannotStart } from "../../src/cli/state/error.ts"
import { checkDiskSpace } from "./diskSpace.ts"
import { openStack, type StackOptions } from "./openStack.ts"
import { handOnBrokenBodies } from "./outbound.ts"
import { ownProcessGroups } from "./ownProcessGroups.ts"
import { root } from "./root.ts"
import { loadWrangler } from "./signals.ts"
import { type Output, whileWaiting } from "./whileWaiting.ts"

/** Where wrangler bundles the workers. Their storage is in the system's folder for temporary files. */
const workersFolder = join(root, ".wrangler")

/** After which a runtime that does not close is left to the end of this process, which kills it. */
const closeAtMost = "3 seconds"

/**
 * Workers in real workerd until the scope closes; `output` shows what is being waited for. An interrupted start is abandoned at once:
 * the end of this process, which follows, kills what has been started.
 */
export const acquireStack = (output: Output, options: Omit<StackOptions, "onPhase">) =>
  Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      yield* Effect.forEach([root, tmpdir()], (folder) => checkDiskSpace(folder), { discard: true })
      yield* handOnBrokenBodies
      yield* ownProcessGroups
      let phase = "loading wrangler"
      const onPhase = (next: string) => {
        phase = next
      }
      const opening = Effect.andThen(
        loadWrangler,
        Effect.tryPromise({
          try: () => openStack({ ...options, onPhase }),
          catch: toCannotStart(workersFolder, "The workers do not start"),
        }),
      )
      const stack = yield* restore(whileWaiting(output, () => phase, opening))
      yield* Effect.addFinalizer(() => Effect.promise(stack.close).pipe(Effect.timeoutOption(closeAtMost)))
      return stack
    }),
  )

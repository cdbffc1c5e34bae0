import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { TestHarness, TestHarnessOptions } from "wrangler"
import { toCannotStart } from "../../src/cli/state/error.ts"
import { checkDiskSpace } from "./diskSpace.ts"
import { handOnBrokenBodies } from "./outbound.ts"

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

type Workers = NonNullable<TestHarnessOptions["workers"]>

/** A worker as its `wrangler.toml` declares it, but for its entry and some variables. Paths are relative to the repository. */
export type WithEntry = (configPath: string, entry: string, vars: Readonly<Record<string, string>>) => Workers[number]

const withEntry =
  (readConfig: typeof import("wrangler").unstable_readConfig): WithEntry =>
  (configPath, entry, vars) => {
    const declared = readConfig({ config: join(root, configPath) }, { hideWarnings: true })
    const { name, compatibility_date, compatibility_flags, durable_objects, migrations, d1_databases, rules } = declared
    const { services, workflows } = declared
    return {
      config: {
        ...{ name, compatibility_flags, durable_objects, migrations, d1_databases, rules, workflows },
        ...(services === undefined ? {} : { services }),
        ...(compatibility_date === undefined ? {} : { compatibility_date }),
        main: join(root, entry),
        vars,
      },
    }
  }

/** Where wrangler bundles the workers. Their storage is in the system's folder for temporary files. */
const workersFolder = join(root, ".wrangler")

/** Workers in real workerd, the first of them at `url`, until the scope closes. */
export const openHarness = Effect.fn("openHarness")(function* (workers: (withEntry: WithEntry) => Workers) {
  yield* Effect.forEach([root, tmpdir()], (folder) => checkDiskSpace(folder), { discard: true })
  yield* handOnBrokenBodies
  return yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async (): Promise<{ readonly harness: TestHarness; readonly url: URL }> => {
        const wrangler = await import("wrangler")
        const harness = wrangler.createTestHarness({ root, workers: workers(withEntry(wrangler.unstable_readConfig)) })
        const { url } = await harness.listen()
        return { harness, url }
      },
      catch: toCannotStart(workersFolder, "The workers do not start"),
    }),
    ({ harness }) => Effect.promise(() => harness.close()),
  )
})

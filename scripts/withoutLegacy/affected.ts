import { existsSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import type { Removal } from "./remove.ts"

/** What the tests in workerd have in common, beside what they import. */
const inEveryWorker = ["test/worker.ts", "test/database.ts", "test/simulator/globalSetup.ts"]

const importsOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g)].map(([, path = ""]) => path)

/** Who imports these reads files or starts workers: what that depends on cannot be told from imports. */
const isOpenEnded = (specifier: string): boolean => /^(node:fs|node:child_process|wrangler$)/.test(specifier)

/**
 * Those of the tests whose result can change: whatever they import, directly or not, has changed or is gone, or they depend on more than
 * imports tell. The others would run on the very same bytes as before.
 */
export const affectedTests = (
  root: string,
  tests: ReadonlyArray<string>,
  { removed, changed }: Removal,
): ReadonlyArray<string> => {
  const touched = new Set([...removed, ...changed])
  const reaches = (start: ReadonlyArray<string>): boolean => {
    const seen = new Set<string>()
    const next = [...start]
    for (let path = next.pop(); path !== undefined; path = next.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      if (touched.has(path)) return true
      if (!path.endsWith(".ts") || !existsSync(join(root, path))) continue
      for (const specifier of importsOf(readFileSync(join(root, path), "utf8"))) {
        if (isOpenEnded(specifier)) return true
        if (specifier.startsWith(".")) next.push(normalize(join(dirname(path), specifier)))
      }
    }
    return false
  }
  // The simulator runs beside the tests, and imports nothing of src: its files decide on nothing here.
  const isCommonTouched = reaches(inEveryWorker)
  return tests.filter((test) => isCommonTouched || reaches([test]))
}

import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** The legacy poller, its tests and the figures about it, the rehearsal of the move from it, and this step itself. */
const folders = ["src/legacy/", "test/legacy/", "bench/legacy/", "local/rehearsal/", "scripts/withoutLegacy/"]

/** A seam that is a file, by its name. */
const isSeamFile = (path: string): boolean => /(^|\/)(legacy|rehears(e|al))[A-Za-z]*(\.test)?\.(ts|md)$/.test(path)

/** A seam that is a line: what other files say of the legacy poller. */
const isSeamLine = (line: string): boolean => /(\/\/|#) legacy$/.test(line) || line.includes("<!-- legacy -->")

/** A seam of several lines of prose. */
const seamParagraphs = /^<!-- legacy from here -->\n[\s\S]*?^<!-- legacy to here -->\n\n?/gm

/** Says what the marks are, and is not marked by them. */
const runbook = "docs/runbook-cleanup.md"

/** The commands of package.json that run this step. */
const scripts = /^ *"(check:without-legacy|remove:legacy)": .*\n/gm

export interface Removal {
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
}

/** Lists what a removal would remove and change in a repository with these files. Paths are relative to its root. */
export const planRemoval = (root: string, files: ReadonlyArray<string>): Removal => {
  const removed = files.filter((path) => isSeamFile(path) || folders.some((folder) => path.startsWith(folder)))
  const gone = new Set(removed)
  const changed = files.filter((path) => {
    if (gone.has(path) || path === runbook || !/\.(ts|toml|md|json)$/.test(path)) return false
    const text = readFileSync(join(root, path), "utf8")
    return withoutSeams(path, text) !== text
  })
  return { removed, changed }
}

/** A file without its seams. */
const withoutSeams = (path: string, text: string): string =>
  path === "package.json"
    ? text.replace(scripts, "")
    : text
        .replace(seamParagraphs, "")
        .split("\n")
        .filter((line) => !isSeamLine(line))
        .join("\n")

/** Takes the legacy poller out of the files below `root`. */
export const applyRemoval = (root: string, { removed, changed }: Removal): void => {
  for (const path of changed) {
    const file = join(root, path)
    writeFileSync(file, withoutSeams(path, readFileSync(file, "utf8")))
  }
  for (const path of removed) rmSync(join(root, path))
  for (const folder of folders) rmSync(join(root, folder), { recursive: true, force: true })
}

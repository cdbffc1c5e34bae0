import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { trackedFiles } from "../trackedFiles.ts"
import { affectedTests } from "./affected.ts"
import { applyRemoval, planRemoval } from "./remove.ts"

// npm run check:without-legacy [-- --all]: takes the legacy poller out of a copy of the repository, and checks and tests what is left.
// npm run remove:legacy: takes it out of this one. docs/runbook-cleanup.md says when.

const { values } = parseArgs({ options: { apply: { type: "boolean" }, all: { type: "boolean" } } })

/** How much of a step that failed is shown. */
const linesShown = 80

const say = (text: string) => process.stdout.write(`${text}\n`)

/** Runs a tool of the project; its output is shown only if it fails. */
const run = (root: string, name: string, tool: string, args: ReadonlyArray<string>): Promise<boolean> =>
  new Promise((resolve) => {
    const startedAt = performance.now()
    const binary = join(root, "node_modules/.bin", tool)
    const child = spawn(binary, args, { cwd: root, env: { ...process.env, NO_COLOR: "1", CI: "1" } })
    let output = ""
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-200_000)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("error", (error) => {
      output += error.message
    })
    child.on("close", (code) => {
      say(`${code === 0 ? "passed" : "FAILED"} in ${Math.round((performance.now() - startedAt) / 1000)} s: ${name}`)
      if (code !== 0) say(output.split("\n").slice(-linesShown).join("\n"))
      resolve(code === 0)
    })
  })

const format = (root: string, changed: ReadonlyArray<string>) =>
  run(root, "format what was changed", "biome", [
    "check",
    "--write",
    "--linter-enabled=false",
    "--assist-enabled=false",
    ...changed.filter((path) => /\.(ts|json)$/.test(path)),
  ])

/** Exports that only the legacy poller used are hidden. */
const hide = (root: string) =>
  run(root, "hide what nobody imports any more", "knip", ["--fix", "--fix-type", "exports"])

const check = async (): Promise<boolean> => {
  const root = process.cwd()
  const files = trackedFiles(root)
  const removal = planRemoval(root, files)
  const copy = mkdtempSync(join(tmpdir(), "pollen-without-legacy-"))
  try {
    for (const path of files) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      cpSync(join(root, path), join(copy, path))
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
    applyRemoval(copy, removal)
    say(`${removal.removed.length} files removed, ${removal.changed.length} changed`)
    const gone = new Set(removal.removed)
    const tests = files.filter((path) => path.endsWith(".test.ts") && !gone.has(path))
    const affected = values.all === true ? tests : affectedTests(root, tests, removal)
    const steps: ReadonlyArray<() => Promise<boolean>> = [
      () => format(copy, removal.changed),
      () => hide(copy),
      () => run(copy, "types of the workers", "tsc", ["-p", "tsconfig.json"]),
      () => run(copy, "types of the command line", "tsc", ["-p", "tsconfig.node.json"]),
      () => run(copy, "lint", "biome", ["ci", "."]),
      () => run(copy, "nothing unused", "knip", []),
      () => run(copy, testsName(affected.length, tests.length), "vitest", ["run", ...affected]),
    ]
    let passed = true
    // Later steps tell more, even where an earlier one has failed.
    for (const step of steps) passed = (await step()) && passed
    return passed
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const testsName = (affected: number, all: number): string =>
  affected === all
    ? `all ${all} test files`
    : `${affected} test files; the other ${all - affected} and all they import are as they were (--all runs them too)`

const apply = async (): Promise<boolean> => {
  const root = process.cwd()
  const removal = planRemoval(root, trackedFiles(root))
  applyRemoval(root, removal)
  for (const path of removal.removed) say(`removed ${path}`)
  for (const path of removal.changed) say(`changed ${path}`)
  return (await format(root, removal.changed)) && (await hide(root))
}

process.exitCode = (await (values.apply === true ? apply() : check())) ? 0 : 1

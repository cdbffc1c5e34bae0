import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { checkRooms } from "../../scripts/rooms/check.ts"

/** A repository with these files: to each the path that it imports. */
const write = (files: Readonly<Record<string, string>>) => {
  const folder = mkdtempSync(join(tmpdir(), "pollen-direction-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [file, path] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `import type { Thing } from "${path}"\n\nexport type Use = Thing\n`)
  }
  return folder
}

const check = (files: Readonly<Record<string, string>>) => checkRooms(write(files), Object.keys(files))

it("npm run check:rooms prints what is wrong with the files that git knows or would add, and fails then alone", () => {
  const run = (files: Readonly<Record<string, string>>) => {
    const folder = write(files)
    execFileSync("git", ["init", "--quiet"], { cwd: folder })
    const main = join(process.cwd(), "scripts/rooms/main.ts")
    const { status, stdout } = spawnSync(process.execPath, [main], { cwd: folder, encoding: "utf8" })
    return { status, stdout }
  }
  const wrong = { "src/domain/example.ts": "../object/Store.ts" }
  expect(run(wrong)).toEqual({ status: 1, stdout: `${check(wrong).join("\n")}\n` })
  expect(run({ "src/domain/example.ts": "./item.ts" })).toEqual({ status: 0, stdout: "" })
})

it.each([
  ["src/domain/example.ts", "../object/Store.ts"],
  ["src/domain/example.ts", "../http/error.ts"],
  ["src/domain/example.ts", "drizzle-orm"],
  ["src/domain/example.ts", "node:fs"],
  ["src/providers/example.ts", "../object/Store.ts"],
  ["src/rpc/example.ts", "../object/Store.ts"],
  ["src/object/example.ts", "../core/env.ts"],
  ["src/object/grants/example.ts", "../../core/env.ts"],
  ["src/core/example.ts", "../gateway/index.ts"],
  ["src/gateway/example.ts", "../object/Store.ts"],
  ["src/object/example.ts", "../legacy/poller.ts"],
  ["src/move/example.ts", "../legacy/poller.ts"],
  ["src/cli/example.ts", "../legacy/poller.ts"],
  ["src/cli/example.ts", "../../local/stack/harness.ts"],
  ["src/cron/example.ts", "../../test/newKey.ts"],
  ["src/core/example.ts", "../../bench/figure.ts"],
  ["local/stack/example.ts", "../../bench/figure.ts"],
  ["local/simulator/example.ts", "../../src/domain/item.ts"],
  ["bench/example.ts", "../test/newKey.ts"],
  ["schema/example.ts", "../src/domain/item.ts"],
])("an import against the arrow is an error: %s imports %s", (file, path) => {
  expect(check({ [file]: path })).toEqual([expect.stringContaining(`${file} imports`)])
})

it.each([
  ["src/domain/example.ts", "./item.ts"],
  ["src/domain/example.ts", "effect"],
  ["src/domain/example.ts", "effect/encoding"],
  ["src/object/example.ts", "../domain/item.ts"],
  ["src/gateway/example.ts", "../rpc/call.ts"],
  ["src/cron/example.ts", "../legacy/poller.ts"],
  ["local/demo/example.ts", "../../src/cli/Display.ts"],
  ["bench/example.ts", "../local/stack/harness.ts"],
])("an import along the arrow is none: %s imports %s", (file, path) => {
  expect(check({ [file]: path })).toEqual([])
})

it.each(["src/migration", "src/object", "local"])("a ring between folders of %s is an error", (room) => {
  const problems = check({
    [`${room}/one/a.ts`]: "../two/b.ts",
    [`${room}/two/c.ts`]: "../three/d.ts",
    [`${room}/three/e.ts`]: "../one/f.ts",
  })
  expect(problems).toContainEqual(expect.stringContaining("ring between folders"))
})

it("folders that need each other in one direction are no ring", () => {
  const problems = check({
    "src/object/one/a.ts": "../two/b.ts",
    "src/object/two/c.ts": "../three/d.ts",
    "src/object/three/e.ts": "../f.ts",
  })
  expect(problems).toEqual([])
})

import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, expect, it } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "pollen-direction-"))
copyFileSync("biome.json", join(folder, "biome.json"))
afterAll(() => rmSync(folder, { recursive: true }))

/** What the project's linter says of a file that has one import. */
const lint = (file: string, path: string) => {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), `import { thing } from "${path}"\n\nexport const use = thing\n`)
  const { status, stdout, stderr } = spawnSync(
    join(process.cwd(), "node_modules/.bin/biome"),
    ["lint", "--vcs-enabled=false", file],
    { cwd: folder, encoding: "utf8" },
  )
  return { status, said: stdout + stderr }
}

it.each([
  ["src/domain/example.ts", "../object/store.ts"],
  ["src/domain/example.ts", "../http/error.ts"],
  ["src/domain/example.ts", "drizzle-orm"],
  ["src/domain/example.ts", "node:fs"],
  ["src/providers/example.ts", "../object/store.ts"],
  ["src/rpc/example.ts", "../object/store.ts"],
  ["src/object/example.ts", "../core/env.ts"],
  ["src/core/example.ts", "../gateway/index.ts"],
  ["src/gateway/example.ts", "../object/store.ts"],
  ["src/object/example.ts", "../legacy/poller.ts"],
  ["src/move/example.ts", "../legacy/poller.ts"],
  ["src/cli/example.ts", "../legacy/poller.ts"],
  ["schema/example.ts", "../src/domain/item.ts"],
])("an import against the arrow is an error: %s imports %s", (file, path) => {
  const { status, said } = lint(file, path)
  expect(said).toContain("noRestrictedImports")
  expect(status).not.toBe(0)
})

it.each([
  ["src/domain/example.ts", "./item.ts"],
  ["src/domain/example.ts", "effect"],
  ["src/domain/example.ts", "effect/encoding"],
  ["src/object/example.ts", "../domain/item.ts"],
  ["src/gateway/example.ts", "../rpc/call.ts"],
  ["src/cron/example.ts", "../legacy/poller.ts"],
])("an import along the arrow is none: %s imports %s", (file, path) => {
  expect(lint(file, path).said).not.toContain("noRestrictedImports")
})

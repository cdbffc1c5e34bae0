import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { describe, expect, it, onTestFinished } from "vitest"
import { trackedFiles } from "../../scripts/trackedFiles.ts"
import { affectedTests } from "../../scripts/withoutLegacy/affected.ts"
import { applyRemoval, planRemoval } from "../../scripts/withoutLegacy/remove.ts"
import { LegacySettings } from "../../src/legacy/LegacySettings.ts"
import { codeOf, rowsOf, section } from "./document.ts"

it("the documented defaults of the legacy poller are those that hold", async () => {
  const documented = Object.fromEntries(
    rowsOf(section("docs/settings.md", "The workers")).flatMap(([names = "", , defaults = ""]) =>
      codeOf(names).map((name, index) => [name, codeOf(defaults)[index]]),
    ),
  )
  const read = (env: object) =>
    Effect.runPromise(
      Effect.map(Effect.provide(LegacySettings, LegacySettings.layer(env)), ({ endpoints: _, ...rest }) => rest),
    )
  const ours = Object.entries(documented).filter(([name]) => name.startsWith("LEGACY_"))
  expect(ours).toHaveLength(4)
  expect(await read(Object.fromEntries(ours))).toEqual(await read({}))
  // A default that is not read would prove nothing.
  for (const [name] of ours) await expect(read({ [name]: "nonsense" })).rejects.toThrow(name)
})

describe("taking the legacy poller out", () => {
  const root = process.cwd()
  const files = trackedFiles(root)

  it("leaves nothing that reaches it, or speaks of it, behind a mark", () => {
    const copy = mkdtempSync(join(tmpdir(), "pollen-removal-"))
    onTestFinished(() => rmSync(copy, { recursive: true }))
    for (const path of files) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      cpSync(join(root, path), join(copy, path))
    }
    applyRemoval(copy, planRemoval(copy, files))
    const left = files.filter((path) => existsSync(join(copy, path)))
    expect(left.length).toBeGreaterThan(files.length * 0.8)
    expect(left.filter((path) => /(^|\/)legacy[A-Za-z]*(\/|\.)/.test(path))).toEqual([])
    const importing = left.filter(
      (path) =>
        path.endsWith(".ts") &&
        /(from|import) *\(?"[^"]*\/legacy[A-Za-z]*[/.]/.test(readFileSync(join(copy, path), "utf8")),
    )
    expect(importing).toEqual([])
    expect(planRemoval(copy, left)).toEqual({ removed: [], changed: [] })
    expect(readFileSync(join(copy, "package.json"), "utf8")).not.toContain("legacy")
    expect(readFileSync(join(copy, "docs/settings.md"), "utf8")).not.toContain("LEGACY_")
    // Links of the documents that are left lead to documents that are left.
    const broken = left
      .filter((path) => path.endsWith(".md"))
      .flatMap((path) =>
        [...readFileSync(join(copy, path), "utf8").matchAll(/\]\(([^)#]+)/g)]
          .map(([, link = ""]) => join(dirname(path), link))
          .filter((target) => !target.includes("http") && !existsSync(join(copy, target))),
      )
    expect(broken).toEqual([])
  })

  it("has those tests run again whose outcome it can change, and no other", () => {
    const tests = files.filter((path) => path.endsWith(".test.ts"))
    const affected = (changed: ReadonlyArray<string>) => affectedTests(root, tests, { removed: [], changed })
    const always = affected([])
    // They read files, or start workers.
    expect(always).toEqual(expect.arrayContaining(["test/local/start.test.ts", "test/integration/system.test.ts"]))
    expect(affected(["src/cron/runCron.ts"])).toEqual(expect.arrayContaining(["test/cron/runCron.test.ts"]))
    expect(affected(["src/domain/error.ts"])).toEqual(expect.arrayContaining(["test/cron/runCron.test.ts"]))
    expect(affected(["src/cron/runCron.ts"])).not.toContain("test/cron/wakeOverdue.test.ts")
    // Whatever the worker under the tests is made of concerns all that run in it.
    const ofObjects = tests.filter((path) => path.startsWith("test/object/"))
    expect(affected(["src/object/grants/vault.ts"])).toEqual(expect.arrayContaining(ofObjects))
    expect(always).not.toEqual(expect.arrayContaining(ofObjects))
  })
})

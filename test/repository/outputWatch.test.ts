import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pollen-watch-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs one test that passes, beside which `beside` happens in vitest's own process, where workerd's words arrive. */
const run = (test: string, beside = "") => {
  const watch = JSON.stringify(join(process.cwd(), "test/outputWatch.ts"))
  writeFileSync(
    join(folder, "vitest.config.ts"),
    `import { OutputWatch } from ${watch}
export default { test: { globals: true, silent: "passed-only", globalSetup: ["./beside.ts"], reporters: ["default", new OutputWatch()] } }`,
  )
  writeFileSync(join(folder, "beside.ts"), `export default () => { ${beside} }`)
  writeFileSync(join(folder, "one.test.ts"), `test("passes", () => { ${test} })`)
  const vitest = join(process.cwd(), "node_modules/vitest/vitest.mjs")
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", "--root", folder], {
    encoding: "utf8",
  })
  const said = stdout + stderr
  expect(said).toMatch(/1 passed/)
  return { status, said }
}

const warning = "An RPC stub was not disposed properly. You must call dispose() on all stubs"
const token = `AQsim${"0aZ".repeat(30)}`

it("a run in which workerd says that an RPC stub was not disposed fails, and says so", () => {
  const { status, said } = run("", `process.stderr.write(${JSON.stringify(`${warning}\n`)})`)
  expect(status).toBe(1)
  expect(said).toMatch(/FAIL {2}the run printed an RPC stub or result that was not disposed/)
})

it("a run in which a test that passes logs a token fails, and does not repeat it", () => {
  const { status, said } = run(`console.log("refreshing " + ${JSON.stringify(token)})`)
  expect(status).toBe(1)
  expect(said).toContain("FAIL  the run printed a token: refreshing (token)")
  expect(said).not.toContain(token)
})

it("a run that prints neither passes; what workerd tells of broken connections is left out, and anything else is shown", () => {
  const broken =
    "exception = rust/worker/ffi.rs:110: disconnected: Connection reset by peer (os error 104)\\nstack: workerd@1"
  const other = "uncaught exception; source = Uncaught (in promise); stack = Error: a mistake of our own"
  const { status, said } = run("", `process.stderr.write("${broken}\\n"); process.stderr.write("${other}\\n")`)
  expect(status).toBe(0)
  expect(said).not.toContain("Connection reset by peer")
  expect(said).toContain("left out: 1 remarks of workerd")
  expect(said).toContain("a mistake of our own")
})

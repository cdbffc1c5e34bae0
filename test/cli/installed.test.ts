import { execFile, execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { startStranger } from "./stranger.ts"

let folder: string
let installed: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pollen-installed-"))
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--silent", "--pack-destination", folder], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  )
  // Where a package's files are after its installation: Node runs no TypeScript there.
  installed = join(folder, "node_modules/pollen")
  mkdirSync(installed, { recursive: true })
  execFileSync("tar", ["-xzf", join(folder, packed.filename), "--strip-components=1", "-C", installed])
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true }))

const manifest = () => JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))
const run = (...parameters: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | string | null; readonly out: string; readonly err: string }>((resolve) => {
    const env = { NO_COLOR: "1", PATH: process.env["PATH"], POLLEN_ADMIN_TOKEN: "x".repeat(32) }
    execFile(
      process.execPath,
      [join(installed, manifest().bin.pollen), ...parameters],
      { cwd: folder, env },
      (error, out, err) => resolve({ code: error === null ? 0 : (error.code ?? null), out, err }),
    )
  })

describe("The package, installed", () => {
  it("has the commands of operators, and names them as they are typed there", async () => {
    const help = await run("migrate", "plan", "--help")
    expect(help).toMatchObject({ code: 0, err: "" })
    expect(help.out).toContain("  pollen migrate plan [flags]")
    expect(help.out).not.toContain("npm run")
    const wrong = await run("migrate", "plan", "--page-size", "0")
    expect(wrong).toMatchObject({ code: 2, out: "" })
    expect(wrong.err).toMatch(/\n`pollen migrate plan --help` explains the command\.\n$/)
    expect((await run("user", "ada")).err).toBe(
      "Nothing says where the migration worker is: give --url or POLLEN_MIGRATION_URL.\n",
    )
  })

  it("asks a worker", async () => {
    const { url, requests } = await startStranger(() => ({ status: 200, body: { actions: [], next: null } }))
    expect(await run("audit", "--url", url)).toEqual({ code: 0, out: "  No actions yet.\n", err: "" })
    expect(requests.map(({ path }) => path)).toEqual(["/v1/actions?limit=50"])
  })

  it("is one program, examples of mappings and what npm adds, and runs no script where it is installed", () => {
    const files = execFileSync("tar", ["-tzf", join(folder, `pollen-${manifest().version}.tgz`)], { encoding: "utf8" })
    expect(files.trimEnd().split("\n").sort()).toEqual([
      "package/README.md",
      "package/dist/pollen.js",
      "package/docs/mapping.example.json",
      "package/docs/mapping.feed.example.json",
      "package/docs/mapping.follows.example.json",
      "package/package.json",
    ])
    const scripts = Object.keys(manifest().scripts)
    expect(scripts.filter((name) => ["preinstall", "install", "postinstall"].includes(name))).toEqual([])
    expect(readFileSync(join(installed, "dist/pollen.js"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/)
  })
})

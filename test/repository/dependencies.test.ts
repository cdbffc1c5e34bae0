import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { codeOf, rowsOf, section } from "./document.ts"

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}
interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly deprecated?: string; readonly hasInstallScript?: boolean; readonly resolved?: string }>
  >
}
const read = <A>(file: string) => JSON.parse(readFileSync(file, "utf8")) as A
const manifest = read<Manifest>("package.json")
const { packages } = read<Lockfile>("package-lock.json")
const direct = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
const nameOf = (path: string) => path.split("node_modules/").at(-1) ?? path

const original = [
  "wrangler",
  "@cloudflare/workers-types",
  "drizzle-orm",
  "effect",
  "vitest",
  "@effect/schema",
  "@cloudflare/vitest-pool-workers",
]

describe("the packages", () => {
  it("are each explained, and nothing else is", () => {
    const explained = rowsOf(section("docs/dependencies.md", "Packages")).flatMap(([names = ""]) => codeOf(names))
    const known = Object.keys(direct).map((name) => (/^node(-bin)?-(linux|darwin|win)/.test(name) ? "node-*" : name))
    expect([...explained].sort()).toEqual([...new Set(known)].sort())
  })

  it("of the original design card are each mapped to one that is here", () => {
    const mapped = rowsOf(section("docs/dependencies.md", "The original design card"))
    expect(mapped.map(([there = ""]) => codeOf(there)[0])).toEqual(original)
    for (const [, here = ""] of mapped) expect(Object.keys(direct)).toContain(codeOf(here)[0])
    expect(Object.keys(direct)).not.toContain("@effect/schema")
    expect(Object.keys(direct)).not.toContain("@cloudflare/vitest-pool-workers")
  })

  it("have exact versions", () => {
    for (const [name, version] of Object.entries(direct))
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
  })

  it("in the whole tree are not deprecated, and the lockfile names no registry", () => {
    const entries = Object.entries(packages)
    expect(entries.length).toBeGreaterThan(100)
    expect(entries.filter(([, { deprecated }]) => deprecated !== undefined).map(([path]) => path)).toEqual([])
    expect(entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
  })

  it("run no script at installation about which npm would have to ask", () => {
    const scripted = Object.entries(packages).filter(
      ([path, { hasInstallScript }]) => path !== "" && hasInstallScript === true,
    )
    for (const [path] of scripted) expect([path, manifest.allowScripts[nameOf(path)]]).toEqual([path, false])
  })

  it("bring a Node of their own, linked where npm scripts look for it, also when npm has left out the link", () => {
    const [name = ""] = Object.keys(manifest.optionalDependencies).filter((one) =>
      existsSync(`node_modules/${one}/bin/node`),
    )
    const folder = mkdtempSync(join(tmpdir(), "pollen-node-"))
    mkdirSync(join(folder, "node_modules", name, "bin"), { recursive: true })
    mkdirSync(join(folder, "node_modules/.bin"))
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
    writeFileSync(join(folder, "node_modules", name, "bin/node"), "the program")
    for (const _time of [1, 2]) {
      execFileSync(process.execPath, [join(process.cwd(), "scripts/linkNode.js")], { cwd: folder })
      expect(readFileSync(join(folder, "node_modules/.bin/node"), "utf8")).toBe("the program")
    }
    rmSync(folder, { recursive: true })
  })

  it("bring a Node of their own, under which every npm script runs", () => {
    expect(Number(process.versions.node.split(".")[0])).toBe(24)
    expect(existsSync("node_modules/.bin/node")).toBe(true)
  })
})

import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { renderResult } from "../../local/demo/result.ts"
import { codeOf, readme, rowsOf, section } from "./readme.ts"

describe("the README", () => {
  it("has the RPC example that compiles", () => {
    expect(readme).toContain(readFileSync("docs/call-by-rpc.ts", "utf8"))
  })

  it("shows on its first screen the two commands and what npm start prints, line by line as it is now", () => {
    const [, output = ""] = /<!-- start:output -->([\s\S]*)<!-- end:output -->/.exec(readme) ?? []
    const labels = (text: string) => [...text.matchAll(/^ {2}(\S.*?) {2,}[\d.]+/gm)].map(([, label]) => label)
    const now = renderResult({
      ...{ users: 1, sources: 1, published: 1, delivered: 1, lost: 0, doubled: 0, refreshes: 1, seconds: 1 },
      providerRequests: { spotify: 1, youtube: 1 },
      idle: { d1Queries: 0, providerRequests: 2 },
    })
    expect(labels(output)).toEqual(labels(now))
    expect(labels(output).length).toBeGreaterThan(10)
    expect(output).toMatch(/LOST +0\n +DOUBLED +0\n/)
    const before = readme.slice(0, readme.indexOf("<!-- end:output -->")).split("\n")
    expect(before.length).toBeLessThan(45)
    expect(before.join("\n")).toMatch(/npm ci && npm start[\s\S]*npm ci && npm test/)
  })
})

it("the README says which methods each entrypoint carries", () => {
  const source = readFileSync("src/core/entrypoints.ts", "utf8")
  const carried = [...source.matchAll(/^export class (\w+Entrypoint) [^{]*\{\n([\s\S]*?)^\}/gm)].map(
    ([, name = "", body = ""]) => [name, [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, method = ""]) => method).sort()],
  )
  expect(carried.length).toBeGreaterThanOrEqual(3)
  const said = rowsOf(section("Calling it from your worker")).map(([name = "", , methods = ""]) => [
    codeOf(name)[0],
    (codeOf(methods)[0] ?? "").split(" ").sort(),
  ])
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(carried))
})

it.each(["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md")])("every link of %s leads somewhere", (file) => {
  const links = [...readFileSync(file, "utf8").matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link)
  const inside = links.filter((link) => !link.startsWith("http"))
  expect(inside.filter((link) => !existsSync(join(dirname(file), link)))).toEqual([])
})

it("every path that CONTRIBUTING.md names is there, so that it says where a change belongs", () => {
  const said = [
    ...readFileSync("CONTRIBUTING.md", "utf8").matchAll(/`((?:src|test|docs|schema|migrations)\/[^`*{ ]+)`/g),
  ]
  const paths = said.map(([, path = ""]) => path)
  expect(paths.length).toBeGreaterThan(15)
  // The old way is deleted at the end of the move.
  expect(paths.filter((path) => path !== "src/legacy" && !existsSync(path))).toEqual([])
})

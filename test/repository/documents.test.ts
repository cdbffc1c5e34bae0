import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { getTableColumns, getTableName, is } from "drizzle-orm"
import { SQLiteTable } from "drizzle-orm/sqlite-core"
import { HttpApi } from "effect/http-api"
import { describe, expect, it } from "vitest"
import { figures } from "../../bench/figures/index.ts"
import { renderResult } from "../../local/demo/result.ts"
import * as database from "../../schema/database.ts"
import * as object from "../../schema/object.ts"
import { Api as GatewayApi } from "../../src/gateway/api/Api.ts"
import { Api as MigrationApi } from "../../src/migration/api/Api.ts"
import { codeOf, pages, proseOf, readPage, rowsOf, section } from "./document.ts"

describe("the README", () => {
  const readme = readPage("README.md")

  it("has at most 1,200 words beside its code", () => {
    const words = proseOf(readme).split(/\s+/).filter(Boolean)
    expect(words.length).toBeLessThanOrEqual(1200)
  })

  it("shows on its first 30 lines the two commands and lines that npm start prints", () => {
    const firstScreen = readme.slice(0, readme.indexOf("<!-- end:output -->")).trim()
    expect(firstScreen.split("\n").length).toBeLessThanOrEqual(30)
    expect(firstScreen).toMatch(/npm ci && npm start[\s\S]*npm ci && npm test/)
    const labels = (text: string) => [...text.matchAll(/^ {2}(\S.*?) {2,}[\d.]+/gm)].map(([, label]) => label)
    const now = renderResult({
      ...{ users: 1, sources: 1, published: 1, delivered: 1, lost: 0, doubled: 0, refreshes: 1, seconds: 1 },
      providerRequests: { spotify: 1, youtube: 1 },
      idle: { d1Queries: 0, providerRequests: 2 },
    })
    const output = firstScreen.slice(firstScreen.indexOf("<!-- start:output -->"))
    const shown = labels(output)
    expect(shown.length).toBeGreaterThan(4)
    expect(labels(now).filter((label) => shown.includes(label))).toEqual(shown)
    expect(output).toMatch(/LOST +0\n +DOUBLED +0\n/)
  })

  it("names figures that the benchmark measures, and links the page that has all of them", () => {
    const promises = section("README.md", "Promises")
    const named = [...promises.matchAll(/--only (\w+)/g)].map(([, name = ""]) => name)
    expect(named.length).toBeGreaterThan(5)
    expect(figures.map(({ name }) => name)).toEqual(expect.arrayContaining(named))
    expect(promises).toContain("](bench/REPORT.md)")
  })

  it("links every page", () => {
    expect(pages.filter((page) => page !== "README.md" && !readme.includes(`](${page})`))).toEqual([])
  })
})

describe("the page about RPC", () => {
  it("has the example that compiles", () => {
    expect(readPage("docs/rpc.md")).toContain(readFileSync("docs/call-by-rpc.ts", "utf8"))
  })

  it("says which methods each entrypoint carries", () => {
    const source = readFileSync("src/core/entrypoints.ts", "utf8")
    const carried = [...source.matchAll(/^export class (\w+Entrypoint) [^{]*\{\n([\s\S]*?)^\}/gm)].map(
      ([, name = "", body = ""]) => [
        name,
        [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, method = ""]) => method).sort(),
      ],
    )
    expect(carried.length).toBeGreaterThanOrEqual(3)
    const said = rowsOf(section("docs/rpc.md", "Entrypoints")).map(([name = "", , methods = ""]) => [
      codeOf(name)[0],
      (codeOf(methods)[0] ?? "").split(" ").sort(),
    ])
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(carried))
  })
})

/** The routes that a page's tables list, as `GET /v1/feed`. */
const routesSaid = (file: string, heading: string) =>
  rowsOf(section(file, heading))
    .flatMap(([first = ""]) => codeOf(first))
    .filter((code) => /^(GET|PUT|POST|PATCH|DELETE) \//.test(code))
    .map((route) => route.replace(/\{\w+\}/g, "{}"))
    .sort()

const routesOf = (reflect: (onEndpoint: (method: string, path: string) => void) => void) => {
  const routes: Array<string> = []
  reflect((method, path) => routes.push(`${method} ${path.replace(/:\w+/g, "{}")}`))
  return routes.filter((route) => !route.endsWith("/health")).sort()
}

describe("the tables of HTTP requests", () => {
  it("have every route of the gateway, and no other", () => {
    const routes = routesOf((on) =>
      HttpApi.reflect(GatewayApi, {
        onGroup: () => undefined,
        onEndpoint: ({ endpoint: { method, path } }) => on(method, path),
      }),
    )
    expect(routes.length).toBeGreaterThan(5)
    expect(routesSaid("docs/api.md", "Requests")).toEqual(routes)
  })

  it("have every route of the migration worker, and no other", () => {
    const routes = routesOf((on) =>
      HttpApi.reflect(MigrationApi, {
        onGroup: () => undefined,
        onEndpoint: ({ endpoint: { method, path } }) => on(method, path),
      }),
    )
    expect(routes.length).toBeGreaterThan(15)
    expect(routesSaid("docs/operating.md", "The same over HTTP")).toEqual(routes)
  })
})

it("the runbook of the rollout quotes words that `metrics` prints", () => {
  const printed = readFileSync("src/cli/metrics.ts", "utf8")
  const rows = rowsOf(section("docs/runbook-rollout.md", "What to look at")).map(([first = ""]) => first)
  const quoted = rows
    .filter((row) => row.startsWith("`metrics`"))
    .flatMap((row) => [...row.matchAll(/"([^"]+)"/g)].map(([, words = ""]) => words))
  expect(quoted.length).toBeGreaterThan(2)
  expect(quoted.filter((words) => !printed.includes(`"${words}"`))).toEqual([])
})

it("the runbook of the rollout says what to do about every reason why a step fails", () => {
  const source = readFileSync("src/migration/person/reason.ts", "utf8")
  const reasons = [...source.matchAll(/^ {2}"(\w+)",$/gm)].map(([, reason = ""]) => reason)
  expect(reasons.length).toBeGreaterThan(15)
  const rows = rowsOf(section("docs/runbook-rollout.md", "Why somebody fails, and what to do"))
  expect(rows.flatMap(([names = ""]) => codeOf(names)).sort()).toEqual(reasons.sort())
})

it.each([
  { where: "in a person's object", heading: "In a person's object", schema: object },
  { where: "in D1", heading: "In D1", schema: database },
])("the page about storage describes every table and column $where", ({ heading, schema }) => {
  const tables = Object.values(schema).filter((one) => is(one, SQLiteTable))
  expect(tables.length).toBeGreaterThan(8)
  const paragraphs = section("docs/storage.md", heading).split(/\n(?=\*\*`)/)
  const missing = tables.flatMap((table) => {
    const name = getTableName(table)
    const said = paragraphs.filter((paragraph) => paragraph.startsWith(`**\`${name}\`**`)).flatMap(codeOf)
    const columns = Object.values(getTableColumns(table)).map((column) => column.name)
    return columns.filter((column) => !said.includes(column)).map((column) => `${name}.${column}`)
  })
  expect(missing).toEqual([])
})

/** The heading's name in a link, as GitHub makes it. */
const anchorsOf = (text: string): ReadonlyArray<string> => [
  ...[...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  ),
  ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id),
]

it.each(pages)("every link of %s leads somewhere", (file) => {
  const links = [...readPage(file).matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link)
  const inside = links.filter((link) => !link.startsWith("http"))
  const isBroken = (link: string) => {
    const [path = "", anchor] = link.split("#")
    const target = path === "" ? file : join(dirname(file), path)
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor))
  }
  expect(inside.filter(isBroken)).toEqual([])
})

// The page about the cleanup names what goes, and stays when it has gone.
const naming = pages.filter((page) => page !== "docs/runbook-cleanup.md")

it.each(naming)("every path that %s names is there", (file) => {
  const roots = "src|test|docs|schema|migrations|local|bench|scripts"
  const text = proseOf(readPage(file))
  const said = [...text.matchAll(new RegExp(`\`((?:${roots})(?:/[^\`*{} …]*)?)\``, "g"))].map(([, path = ""]) => path)
  expect(said.filter((path) => globSync(path).length === 0)).toEqual([])
})

it("CONTRIBUTING.md names every room, so that it says where a change belongs", () => {
  const said = readPage("CONTRIBUTING.md")
  const rooms = globSync(["src/*", "src/{object,core,migration}/*", "local/*"]).filter((path) =>
    statSync(path).isDirectory(),
  )
  expect(rooms.length).toBeGreaterThan(25)
  expect(rooms.filter((room) => !said.includes(`\`${room}\``))).toEqual([])
})

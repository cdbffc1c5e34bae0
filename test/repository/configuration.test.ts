import { globSync, readFileSync } from "node:fs"
import { Effect, Layer } from "effect"
import { describe, expect, it } from "vitest"
import { readBudgetSettings } from "../../src/budget/settings.ts"
import { CronSettings } from "../../src/cron/CronSettings.ts"
import { Settings } from "../../src/object/Settings.ts"
import { codeOf, rowsOf, section } from "./document.ts"

const rows = rowsOf(section("docs/settings.md", "The workers")).map(([names = "", of = "", defaults = ""]) => ({
  names: codeOf(names),
  of,
  defaults: codeOf(defaults),
}))

/** Which variables are asked for when settings are built. */
const askedBy = async (layer: (env: object) => Layer.Layer<never, unknown>): Promise<ReadonlyArray<string>> => {
  const asked = new Set<string>()
  const note = (name: string | symbol) => {
    if (typeof name === "string") asked.add(name)
    return undefined
  }
  const env = new Proxy({}, { get: (_, name) => note(name), getOwnPropertyDescriptor: (_, name) => note(name) })
  await Effect.runPromiseExit(Effect.provide(Effect.void, layer(env)))
  return [...asked]
}

/** The variables and secrets (texts) and the optional bindings that the workers' types name. */
const declared = globSync(["src/*/env.ts", "src/**/*Settings.ts"], { exclude: (name) => name.includes("cli") }).flatMap(
  (file) =>
    [...readFileSync(file, "utf8").matchAll(/readonly ([A-Z][A-Z0-9_]+)\?: (?:string|Queue)/g)].map(
      ([, name = ""]) => name,
    ),
)

describe("the table of the workers' settings", () => {
  it("has every variable that a worker reads, and no other", async () => {
    const read = new Set([
      ...(await askedBy((env) => Settings.layer(env))),
      ...(await askedBy((env) => Layer.effectDiscard(readBudgetSettings(env)))),
      ...(await askedBy((env) => CronSettings.layer(env as never))),
      ...declared,
    ])
    expect(read.size).toBeGreaterThan(15)
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...read].sort())
  })

  it("has the defaults that hold", async () => {
    const documented = Object.fromEntries(
      rows.flatMap(({ names, defaults }) =>
        names.flatMap((name, index) => (defaults[index] === undefined ? [] : [[name, defaults[index]]])),
      ),
    )
    expect(Object.keys(documented)).toEqual(expect.arrayContaining(["POLL_MINIMUM_INTERVAL", "CRON_TIME_LIMIT"]))
    const TOKEN_KEYS = `k1:${Buffer.alloc(32).toString("base64")}`
    const settings = (env: object) =>
      Effect.runPromise(
        Effect.map(Effect.provide(Settings, Settings.layer(env)), ({ keyRing: _, endpoints: __, ...rest }) => rest),
      )
    expect(await settings({ TOKEN_KEYS, ...documented })).toEqual(await settings({ TOKEN_KEYS }))
    const budget = (env: object) => Effect.runPromise(readBudgetSettings(env))
    expect(await budget(documented)).toEqual(await budget({}))
    const cron = (env: object) => Effect.runPromise(Effect.provide(CronSettings, CronSettings.layer(env as never)))
    expect(await cron(documented)).toEqual(await cron({}))
  })

  it("names the worker of each", () => {
    for (const { names, of } of rows)
      expect([names, ["core", "gateway", "cron", "migration"]]).toEqual([names, expect.arrayContaining([of])])
  })
})

it("the table of the command line's variables has every one that it reads, and no other", () => {
  const read = globSync("src/cli/**/*.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\["(POLLEN_[A-Z_]+)"\]/g)].map(([, name = ""]) => name),
  )
  const said = rowsOf(section("docs/settings.md", "The command line")).flatMap(([names = ""]) => codeOf(names))
  expect(said.sort()).toEqual([...new Set(read)].sort())
})

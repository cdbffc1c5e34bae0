import { exports } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import type { CronEntrypoint, GatewayEntrypoint, MigrationEntrypoint } from "../../src/core/entrypoints.ts"

/** The methods that a service binding to an entrypoint carries. */
type Carries<
  Entrypoint extends Rpc.WorkerEntrypointBranded,
  Method extends string,
> = Method extends keyof Service<Entrypoint> ? true : false

// Each of these lines stops compiling once a binding carries more, or less, than it may.
const typed: ReadonlyArray<boolean> = [
  false satisfies Carries<GatewayEntrypoint, "exportTokens">,
  false satisfies Carries<GatewayEntrypoint, "importTokens">,
  false satisfies Carries<GatewayEntrypoint, "wake">,
  false satisfies Carries<CronEntrypoint, "exportTokens">,
  false satisfies Carries<CronEntrypoint, "handBack">,
  false satisfies Carries<CronEntrypoint, "setToken">,
  false satisfies Carries<CronEntrypoint, "pollNow">,
  false satisfies Carries<MigrationEntrypoint, "forget">,
]
const carried: ReadonlyArray<boolean> = [
  true satisfies Carries<GatewayEntrypoint, "setToken">,
  true satisfies Carries<CronEntrypoint, "wake">,
  true satisfies Carries<MigrationEntrypoint, "exportTokens">,
]

/** Calls a method by a name that the type of the binding does not have. */
const callByName = async (binding: object, method: string) => {
  const invoke: unknown = Reflect.get(binding, method)
  if (typeof invoke !== "function") throw new TypeError(`no ${method}`)
  return Reflect.apply(invoke, binding, [{ userId: "somebody", accounts: [] }])
}

describe("An entrypoint carries what its caller may do and nothing else", () => {
  it("in its type", () => {
    expect(typed).not.toContain(true)
    expect(carried).not.toContain(false)
  })

  it.each([
    ["the gateway", exports.GatewayEntrypoint, ["exportTokens", "importTokens", "wake"]],
    ["cron", exports.CronEntrypoint, ["exportTokens", "handBack", "setToken", "removeToken", "pollNow", "forget"]],
    ["migration", exports.MigrationEntrypoint, ["forget", "pollNow", "setToken"]],
  ] as const)("%s cannot reach the rest by name", async (_caller, binding, methods) => {
    for (const method of methods) {
      await expect(callByName(binding, method)).rejects.toThrow(new RegExp(`does not implement .*"${method}"`))
    }
  })

  it("reaches what it does carry by name, so that the refusals above mean something", async () => {
    await expect(callByName(exports.MigrationEntrypoint, "exportTokens")).resolves.toMatchObject({
      method: "exportTokens",
    })
  })
})

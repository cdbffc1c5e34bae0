import { exports } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import type {
  CronEntrypoint,
  GatewayEntrypoint,
  MigrationEntrypoint,
  TokensEntrypoint,
} from "../../src/core/entrypoints.ts"

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
  false satisfies Carries<GatewayEntrypoint, "fingerprintTokens">,
  false satisfies Carries<GatewayEntrypoint, "takeOver">,
  false satisfies Carries<GatewayEntrypoint, "handBack">,
  false satisfies Carries<GatewayEntrypoint, "setMirror">,
  false satisfies Carries<GatewayEntrypoint, "discardCopies">,
  false satisfies Carries<GatewayEntrypoint, "getAccessToken">,
  false satisfies Carries<CronEntrypoint, "exportTokens">,
  false satisfies Carries<CronEntrypoint, "handBack">,
  false satisfies Carries<CronEntrypoint, "setToken">,
  false satisfies Carries<CronEntrypoint, "pollNow">,
  false satisfies Carries<MigrationEntrypoint, "forget">,
  false satisfies Carries<MigrationEntrypoint, "getAccessToken">,
  false satisfies Carries<TokensEntrypoint, "exportTokens">,
  false satisfies Carries<TokensEntrypoint, "setToken">,
  false satisfies Carries<TokensEntrypoint, "getStatus">,
]
const carried: ReadonlyArray<boolean> = [
  true satisfies Carries<GatewayEntrypoint, "setToken">,
  true satisfies Carries<CronEntrypoint, "wake">,
  true satisfies Carries<CronEntrypoint, "importTokens">,
  true satisfies Carries<MigrationEntrypoint, "exportTokens">,
  true satisfies Carries<TokensEntrypoint, "getAccessToken">,
]

/** Calls a method by a name that the type of the binding does not have. */
const callByName = async (binding: object, method: string) => {
  const invoke: unknown = Reflect.get(binding, method)
  if (typeof invoke !== "function") throw new TypeError(`no ${method}`)
  return Reflect.apply(invoke, binding, [{ userId: "somebody", accounts: [] }])
}

const ofTheMove = ["importTokens", "fingerprintTokens", "takeOver", "handBack", "setMirror", "discardCopies"] as const
const setsOrPolls = ["setToken", "removeToken", "pollNow", "forget"] as const

describe("An entrypoint carries what its caller may do and nothing else", () => {
  it("in its type", () => {
    expect(typed).not.toContain(true)
    expect(carried).not.toContain(false)
  })

  it.each([
    ["the gateway", exports.GatewayEntrypoint, ["exportTokens", "getAccessToken", "wake", ...ofTheMove]],
    ["cron", exports.CronEntrypoint, ["exportTokens", "getAccessToken", ...setsOrPolls, ...ofTheMove.slice(1)]],
    ["migration", exports.MigrationEntrypoint, ["forget", "pollNow", "setToken", "getAccessToken"]],
    [
      "who acts on people's behalf",
      exports.TokensEntrypoint,
      ["exportTokens", "getStatus", ...setsOrPolls, ...ofTheMove],
    ],
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

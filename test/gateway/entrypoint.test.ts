import { exports } from "cloudflare:workers"
import { Predicate } from "effect"
import { describe, expect, it } from "vitest"
import type { GatewayEntrypoint } from "../../src/core/entrypoints.ts"

// Were one of these methods there, these lines would not compile.
type Has<Name extends string> = Name extends keyof GatewayEntrypoint ? true : false
const hasExportTokens: Has<"exportTokens"> = false
const hasImportTokens: Has<"importTokens"> = false
const hasWake: Has<"wake"> = false
const hasGetStatus: Has<"getStatus"> = true

/** Calls a method that the binding's type does not have, as somebody would who ignores types. */
const callByName = async (name: string): Promise<unknown> => {
  const binding: unknown = exports.GatewayEntrypoint
  if (!Predicate.hasProperty(binding, name)) return Promise.reject(new Error(`no ${name}`))
  const method: unknown = binding[name]
  return typeof method === "function" ? method({ userId: "ada" }) : undefined
}

describe("the gateway's binding to the core worker", () => {
  it("has no type for a method that hands tokens out or takes them over", () => {
    expect({ hasExportTokens, hasImportTokens, hasWake, hasGetStatus }).toEqual({
      hasExportTokens: false,
      hasImportTokens: false,
      hasWake: false,
      hasGetStatus: true,
    })
  })

  it.each(["exportTokens", "importTokens", "wake"])("refuses %s by name", async (name) => {
    await expect(callByName(name)).rejects.toThrow(new RegExp(`does not implement .*"${name}"`))
  })

  it("carries what the gateway needs", async () => {
    await expect(callByName("getStatus")).resolves.toMatchObject({ method: "getStatus" })
  })
})

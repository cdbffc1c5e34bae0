import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import { InvalidRequest } from "../../src/domain/error.ts"
import type { Reply } from "../../src/rpc/contract.ts"
import { GetStatus } from "../../src/rpc/methods.ts"
import * as main from "../worker.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

const userId = "entrypoints-somebody"
const accounts = [{ provider: "spotify", epoch: 1, generation: 1, tokens: null }]

/** To each method a payload that its contract refuses, though all that decides where it goes is right, and the field that is wrong. */
const wrong: Readonly<Record<string, readonly [payload: object, path: string]>> = {
  setToken: [{ userId, provider: "spotify", tokens: {} }, "tokens.accessToken"],
  removeToken: [{ userId, provider: "radio" }, "provider"],
  refreshTokens: [{ userId, force: "yes" }, "force"],
  listSubscriptions: [{ userId, limit: 501 }, "limit"],
  getAccessToken: [{ userId, provider: "radio" }, "provider"],
  importTokens: [{ userId, accounts: [{ ...accounts[0], generation: "first" }] }, "accounts.0.generation"],
  fingerprintTokens: [{ userId, key: "k".repeat(65), probe: false }, "key"],
  takeOver: [{ userId, accounts, sources: [{}], isMirrored: false }, "sources.0.provider"],
  handBack: [{ userId, accounts: [{ provider: "spotify", epoch: 1.5 }] }, "accounts.0.epoch"],
  setMirror: [{ userId, isMirrored: 1 }, "isMirrored"],
  discardCopies: [{ userId, provider: "radio" }, "provider"],
  endPauses: [{ userId, provider: "radio" }, "provider"],
  // These take nothing but the person.
  redeliver: [{ userId: 7 }, "userId"],
  validateTokens: [{ userId: 7 }, "userId"],
  pollNow: [{ userId: [userId] }, "userId"],
  getStatus: [{ userId: "" }, "userId"],
  wake: [{ userId: null }, "userId"],
  exportTokens: [{ userId: userId.padEnd(257, "x") }, "userId"],
  forget: [{ userId: { userId } }, "userId"],
  // And these are about nobody.
  confirmPushes: [{ sourceId: "UC1", mode: "publish", topic: "", leaseSeconds: 1 }, "mode"],
  takePush: [{ sourceId: "UC1", signature: "", body: "x".repeat(70_000) }, "body"],
}

const ofNobody: ReadonlyArray<string> = ["confirmPushes", "takePush"]

const { GatewayEntrypoint, CronEntrypoint, MigrationEntrypoint, TokensEntrypoint } = main
const everything = Object.entries({ GatewayEntrypoint, CronEntrypoint, MigrationEntrypoint, TokensEntrypoint }).flatMap(
  ([entrypoint, { prototype }]) =>
    Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== "constructor")
      .map((method) => [entrypoint as keyof typeof exports, method] as const),
)

const invoke = (entrypoint: keyof typeof exports, method: string, payload: unknown): Promise<Reply<string>> => {
  const binding: object = exports[entrypoint]
  const member: unknown = Reflect.get(binding, method)
  return typeof member === "function"
    ? Reflect.apply(member, binding, [payload])
    : expect.unreachable(`${entrypoint} has no ${method}`)
}

describe("Every method of every entrypoint refuses at the door what its contract does not allow", () => {
  it.each(everything)("%s.%s, and no object is asked", async (entrypoint, method) => {
    const [payload, path] = wrong[method] ?? expect.unreachable(`nothing is known to be wrong for ${method}`)
    const gets = [vi.spyOn(env.USERS, "get"), ...(env.HUBS === undefined ? [] : [vi.spyOn(env.HUBS, "get")])]
    for (const [wire, wrongPath] of [
      [payload, path],
      ...(ofNobody.includes(method)
        ? ([[{ ...payload, sourceId: undefined }, "sourceId"]] as const)
        : ([[{ ...payload, userId: undefined }, "userId"]] as const)),
      [null, ""],
    ] as const) {
      const { method: answered, exit } = await invoke(entrypoint, method, wire)
      expect(answered).toBe(method)
      // The refusal is the same in every contract.
      const error = await Effect.runPromise(Effect.flip(Effect.flatten(Effect.orDie(GetStatus.decodeExit(exit)))))
      expect(error).toBeInstanceOf(InvalidRequest)
      expect(error).toMatchObject({
        method,
        issues: expect.arrayContaining([expect.objectContaining({ path: wrongPath })]),
      })
    }
    for (const get of gets) expect(get).not.toHaveBeenCalled()
  })

  it("which says nothing unless a good payload does reach the object", async () => {
    const get = vi.spyOn(env.USERS, "get")
    await invoke("CronEntrypoint", "wake", { userId })
    expect(get).toHaveBeenCalled()
  })
})

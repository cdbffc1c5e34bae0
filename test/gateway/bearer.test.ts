import { env } from "cloudflare:workers"
import { Option } from "effect"
import { Base64Url } from "effect/encoding"
import { describe, expect, it } from "vitest"
import { issueBearer, verifyBearer } from "../../src/gateway/bearer.ts"
import { makeGateway } from "../../src/gateway/makeGateway.ts"
import { ask, gatewayEnv, Visitor } from "./visitor.ts"

const key = "a-signing-key-of-at-least-32-characters"
const otherKey = "another-signing-key-of-32-characters-or-more"

describe("a bearer token", () => {
  it("names its person, whatever characters the user id has", async () => {
    for (const userId of ["ada", "a.b", "Zoë/✓ 🎧", "x".repeat(256)]) {
      expect(await verifyBearer(key, await issueBearer(key, userId))).toEqual(Option.some(userId))
    }
  })

  it("is refused under another key", async () => {
    expect(await verifyBearer(key, await issueBearer(otherKey, "ada"))).toEqual(Option.none())
  })

  it("is refused when any one character of it is changed", async () => {
    const bearer = await issueBearer(key, "ada")
    for (let at = 0; at < bearer.length; at++) {
      const forged = bearer.slice(0, at) + (bearer[at] === "A" ? "B" : "A") + bearer.slice(at + 1)
      expect(await verifyBearer(key, forged)).toEqual(Option.none())
    }
  })

  it("is refused when it carries another person's signature, none, or is not a bearer token at all", async () => {
    const [, signature] = (await issueBearer(key, "ada")).split(".")
    const claimed = Base64Url.encode("bob")
    const nobody = await issueBearer(key, "")
    const refused = [
      `${claimed}.${signature}`,
      `${claimed}.`,
      claimed,
      "",
      ".",
      "..",
      "ada",
      "x".repeat(10_000),
      nobody,
    ]
    for (const bearer of refused) expect(await verifyBearer(key, bearer)).toEqual(Option.none())
  })

  it("is refused when another spelling decodes to the same bytes, or it is signed for another purpose", async () => {
    const bearer = await issueBearer(key, "ada")
    expect(await verifyBearer(key, `${bearer}=`)).toEqual(Option.none())
    const hmac = { name: "HMAC", hash: "SHA-256" }
    const imported = await crypto.subtle.importKey("raw", new TextEncoder().encode(key), hmac, false, ["sign"])
    const bare = await crypto.subtle.sign(hmac, imported, new TextEncoder().encode("ada"))
    const unbound = `${Base64Url.encode("ada")}.${Base64Url.encode(new Uint8Array(bare))}`
    expect(await verifyBearer(key, unbound)).toEqual(Option.none())
  })

  it("is not issued under a key that is too short", async () => {
    await expect(issueBearer("short", "ada")).rejects.toThrow("at least 32 characters")
  })
})

describe("the gateway", () => {
  it("answers a missing bearer token with 401 and a challenge", async () => {
    const { status, headers, body } = await ask("/v1/feed")
    expect(status).toBe(401)
    expect(headers.get("www-authenticate")).toBe('Bearer realm="pollen"')
    expect(headers.get("content-type")).toContain("application/problem+json")
    expect(body).toMatchObject({ type: "urn:pollen:problem:unauthorized", status: 401 })
  })

  it("answers a forged bearer token with 401, before it looks at the rest, and never repeats it", async () => {
    const bearer = await issueBearer(otherKey, "ada")
    const headers = { authorization: `Bearer ${bearer}` }
    const answer = await ask("/v1/feed?limit=wrong", { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"')
    expect(JSON.stringify(answer.body)).not.toContain(bearer)
  })

  it("lets a person in with their own", async () => {
    expect((await new Visitor().get("/v1/feed")).status).toBe(200)
  })

  it("says how to set GATEWAY_KEY when it is missing or too short, and lets nobody in", async () => {
    for (const GATEWAY_KEY of [undefined, "", env.GATEWAY_KEY.slice(0, 31)]) {
      const { CORE, DB } = gatewayEnv
      const gateway = makeGateway({ CORE, DB, ...(GATEWAY_KEY === undefined ? {} : { GATEWAY_KEY }) })
      const { status, body } = await new Visitor().get("/v1/feed", gateway)
      expect(status).toBe(500)
      expect(body).toMatchObject({
        type: "urn:pollen:problem:misconfigured",
        detail: expect.stringContaining("wrangler secret put GATEWAY_KEY"),
      })
    }
  })
})

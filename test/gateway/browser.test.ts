import { describe, expect, it } from "vitest"
import { makeGateway } from "../../src/gateway/makeGateway.ts"
import { ask, gatewayEnv, Visitor } from "./visitor.ts"

const app = "https://app.example"
const elsewhere = "https://elsewhere.example"
const gateway = makeGateway({ ...gatewayEnv, CORS_ORIGINS: `${app}, http://localhost:5173` })

const preflight = (origin: string, on = gateway) =>
  ask(
    "/v1/poll",
    {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    },
    on,
  )

describe("a page of an origin that the operator has named", () => {
  it.each([app, "http://localhost:5173"])("may ask, and change things: %s", async (origin) => {
    const { status, headers } = await preflight(origin)
    expect(status).toBe(204)
    expect(headers.get("access-control-allow-origin")).toBe(origin)
    expect(headers.get("access-control-allow-methods")).toContain("POST")
    expect(headers.get("access-control-allow-headers")).toContain("authorization")
    expect(headers.get("access-control-allow-credentials")).toBeNull()
    const asked = await new Visitor().ask("GET", "/v1/feed", { headers: { origin }, gateway })
    expect(asked.status).toBe(200)
    expect(asked.headers.get("access-control-allow-origin")).toBe(origin)
    expect(asked.headers.get("access-control-expose-headers")).toContain("retry-after")
    expect(asked.headers.get("vary")?.toLowerCase()).toContain("origin")
    const sent = { origin, "sec-fetch-site": "cross-site" }
    expect((await new Visitor().ask("POST", "/v1/poll", { headers: sent, gateway })).status).toBe(200)
  })

  it("reads errors too", async () => {
    const { status, headers } = await ask("/v1/feed", { headers: { origin: app } }, gateway)
    expect(status).toBe(401)
    expect(headers.get("access-control-allow-origin")).toBe(app)
  })
})

describe("a page of any other origin", () => {
  it.each([elsewhere, `${app}.evil.example`, "null", "http://app.example"])("may not: %s", async (origin) => {
    expect((await preflight(origin)).headers.get("access-control-allow-origin")).toBeNull()
    const headers = { origin, "sec-fetch-site": "cross-site" }
    const { status, body } = await new Visitor().ask("POST", "/v1/poll", { headers, gateway })
    expect(status).toBe(403)
    expect(body).toMatchObject({ type: "urn:pollen:problem:cross-site" })
  })

  it("is any page, where nobody has named one", async () => {
    const { status, headers } = await preflight(app, makeGateway(gatewayEnv))
    expect(status).toBe(405)
    expect(headers.get("access-control-allow-origin")).toBeNull()
  })
})

it.each(["*", "app.example", "https://app.example/", "http://app.example"])(
  "an origin that is none is told to the operator: %s",
  async (CORS_ORIGINS) => {
    const { status, body } = await new Visitor().get("/v1/feed", makeGateway({ ...gatewayEnv, CORS_ORIGINS }))
    expect(status).toBe(500)
    expect(body).toMatchObject({
      type: "urn:pollen:problem:misconfigured",
      detail: expect.stringContaining("CORS_ORIGINS"),
    })
  },
)

describe("an answer that the client has already", () => {
  it.each(["/v1/feed", "/v1/subscriptions"])("is not sent again: %s", async (path) => {
    const visitor = new Visitor()
    const first = await visitor.get(path)
    const tag = first.headers.get("etag") ?? ""
    expect(tag).toMatch(/^W\/"[0-9a-f]{32}"$/)
    for (const known of [tag, `"other", ${tag}`, "*"]) {
      const { status, body, headers } = await visitor.ask("GET", path, { headers: { "if-none-match": known } })
      expect([status, body]).toEqual([304, undefined])
      expect(headers.get("etag")).toBe(tag)
    }
    const { status } = await visitor.ask("GET", path, { headers: { "if-none-match": '"other"' } })
    expect(status).toBe(200)
  })

  it("is none of an error, and of nothing that changes something", async () => {
    expect((await ask("/v1/feed")).headers.get("etag")).toBeNull()
    expect((await new Visitor().ask("POST", "/v1/poll")).headers.get("etag")).toBeNull()
  })
})

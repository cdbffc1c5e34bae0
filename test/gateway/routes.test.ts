import { describe, expect, it } from "vitest"
import { ask, Visitor } from "./visitor.ts"

const grant = { accessToken: "an-access-token", refreshToken: "a-refresh-token", expiresIn: 3600, scope: "a b" }

const connect = (body: unknown, headers: Record<string, string> = {}) =>
  new Visitor().ask("PUT", "/v1/accounts/spotify/token", { body, headers })

describe("routes", () => {
  it("answers /health without a bearer token", async () => {
    expect(await ask("/health")).toMatchObject({ status: 200, body: { status: "ok" } })
  })

  it("describes itself at /openapi.json", async () => {
    const { status, body } = await ask("/openapi.json")
    expect(status).toBe(200)
    expect(body).toMatchObject({
      paths: {
        "/v1/accounts/{provider}/token": { put: expect.anything() },
        "/v1/accounts/{provider}": { delete: expect.anything() },
        "/v1/accounts/validate": { post: expect.anything() },
        "/v1/poll": { post: expect.anything() },
        "/v1/status": { get: expect.anything() },
        "/v1/subscriptions": { get: expect.anything() },
        "/v1/feed": { get: expect.anything() },
        "/v1/me": { delete: expect.anything() },
        "/health": { get: expect.anything() },
      },
    })
  })

  it("answers a path that nobody has with 404", async () => {
    const { status, body } = await ask("/v1/nothing")
    expect(status).toBe(404)
    expect(body).toMatchObject({ type: "urn:pollen:problem:not-found" })
  })

  it("answers a method that a path does not take with 405 and the ones it does", async () => {
    const { status, headers, body } = await ask("/v1/accounts/spotify/token", { method: "POST" })
    expect(status).toBe(405)
    expect(headers.get("allow")).toBe("PUT")
    expect(body).toMatchObject({ type: "urn:pollen:problem:method-not-allowed", allowed: ["PUT"] })
  })

  it("lets nobody cache an answer", async () => {
    expect((await new Visitor().get("/v1/feed")).headers.get("cache-control")).toBe("no-store")
  })
})

describe("a body", () => {
  it("of 1 MB is refused with 413", async () => {
    const answer = await connect({ ...grant, accessToken: "x".repeat(1024 * 1024) })
    expect(answer.status).toBe(413)
    expect(answer.body).toMatchObject({ type: "urn:pollen:problem:payload-too-large", limit: 65_536 })
  })

  it("of 1 MB that does not say how long it is is refused with 413 all the same", async () => {
    const visitor = new Visitor()
    const chunk = new TextEncoder().encode("x".repeat(64 * 1024))
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => (sent++ < 16 ? controller.enqueue(chunk) : controller.close()),
    })
    const answer = await ask("/v1/accounts/spotify/token", {
      method: "PUT",
      headers: { authorization: `Bearer ${await visitor.bearer()}`, "content-type": "application/json" },
      body: endless,
    })
    expect(answer.status).toBe(413)
  })

  it("that announces 1 MB is refused before any of it is read", async () => {
    let pulls = 0
    const unread = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulls += 1
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const answer = await ask("/v1/accounts/spotify/token", {
      method: "PUT",
      headers: {
        authorization: `Bearer ${await new Visitor().bearer()}`,
        "content-type": "application/json",
        "content-length": String(1024 * 1024),
      },
      body: unread,
    })
    expect(answer.status).toBe(413)
    expect(pulls).toBe(0)
  })

  it("with wrong types is refused with the path of each, and without a value", async () => {
    const { status, body } = await connect({
      accessToken: { leaked: "secret-value" },
      refreshToken: "",
      expiresAt: "secret-value",
      scope: ["a", 1],
    })
    expect(status).toBe(400)
    expect(body).toMatchObject({
      type: "urn:pollen:problem:invalid-request",
      issues: expect.arrayContaining([
        expect.objectContaining({ path: "accessToken" }),
        expect.objectContaining({ path: "refreshToken", message: "must not be empty" }),
        expect.objectContaining({ path: "expiresAt" }),
      ]),
    })
    expect(JSON.stringify(body)).toContain("scope")
    expect(JSON.stringify(body)).not.toContain("secret-value")
  })

  it.each([
    ["neither expiresAt nor expiresIn", { ...grant, expiresIn: undefined }],
    ["both", { ...grant, expiresAt: 1 }],
  ])("with %s is refused", async (_, body) => {
    const answer = await connect(body)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({
      issues: [{ path: "expiresAt", message: expect.stringContaining("exactly one") }],
    })
  })

  it.each(["", "{", "null", "[]", '"text"'])("of %j is refused", async (body) => {
    expect((await connect(body)).status).toBe(400)
  })

  it("that is not JSON by its own account is refused with 415", async () => {
    const answer = await connect("accessToken=x", { "content-type": "text/plain" })
    expect(answer.status).toBe(415)
    expect(answer.body).toMatchObject({ type: "urn:pollen:problem:unsupported-media-type" })
  })

  it("that does not say what it is is refused with 415", async () => {
    const answer = await ask("/v1/accounts/spotify/token", {
      method: "PUT",
      headers: { authorization: `Bearer ${await new Visitor().bearer()}` },
      body: new TextEncoder().encode(JSON.stringify(grant)),
    })
    expect(answer.status).toBe(415)
    expect(answer.body).toMatchObject({ type: "urn:pollen:problem:unsupported-media-type" })
  })

  it("with a field that there is not is refused with its name", async () => {
    const answer = await connect({ ...grant, acessToken: "secret-value" })
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ issues: [{ path: "acessToken", message: "is not a field of this request" }] })
    expect(JSON.stringify(answer.body)).not.toContain("secret-value")
  })

  it("where there is none to send is refused with its fields, but for an empty one", async () => {
    const validate = (body: unknown) => new Visitor().ask("POST", "/v1/accounts/validate", { body })
    expect(await validate({ provider: "spotify" })).toMatchObject({
      status: 400,
      body: { issues: [{ path: "provider" }] },
    })
    expect((await validate({})).status).toBe(200)
  })

  it("for a provider that there is not is refused with its path", async () => {
    const answer = await new Visitor().ask("PUT", "/v1/accounts/napster/token", { body: grant })
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ issues: [{ path: "provider" }] })
  })
})

describe("a page elsewhere", () => {
  it.each([{ "sec-fetch-site": "cross-site" }, { origin: "https://elsewhere.test" }])(
    "changes nothing of a person: %j",
    async (headers) => {
      const visitor = new Visitor()
      for (const [method, path] of [
        ["POST", "/v1/poll"],
        ["DELETE", `/v1/me?confirm=${visitor.id}`],
      ] as const) {
        const { status, body } = await visitor.ask(method, path, { headers })
        expect(status).toBe(403)
        expect(body).toMatchObject({ type: "urn:pollen:problem:cross-site" })
      }
    },
  )
})

describe("queries", () => {
  it("with a field that there is not are refused with its name", async () => {
    for (const path of ["/v1/feed?offset=1", "/v1/status?offset=1"]) {
      expect(await new Visitor().get(path)).toMatchObject({ status: 400, body: { issues: [{ path: "offset" }] } })
    }
  })

  it.each(["/v1/feed?limit=0", "/v1/feed?limit=201", "/v1/feed?limit=many", "/v1/subscriptions?limit=501"])(
    "%s is refused with the path of the limit",
    async (path) => {
      const { status, body } = await new Visitor().get(path)
      expect(status).toBe(400)
      expect(body).toMatchObject({ issues: [{ path: "limit" }] })
    },
  )

  it.each(["garbage", "!!!", btoa("{}"), btoa('["1","spotify","x"]'), btoa('[1,"napster","x"]'), "%00"])(
    "the cursor %j is refused",
    async (cursor) => {
      const { status, body } = await new Visitor().get(`/v1/feed?cursor=${encodeURIComponent(cursor)}`)
      expect(status).toBe(400)
      expect(JSON.stringify(body)).toContain('"path":"cursor')
    },
  )
})

import { Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { describe, expect, it } from "vitest"
import * as errors from "../../src/domain/error.ts"
import { Authorization } from "../../src/gateway/Authorization.ts"
import { Core } from "../../src/gateway/Core.ts"
import { Feed } from "../../src/gateway/Feed.ts"
import { makeGatewayWith } from "../../src/gateway/makeGateway.ts"
import * as requestErrors from "../../src/http/error.ts"
import { type HttpError, toProblem, toProblemResponse } from "../../src/http/problem.ts"
import type { CommonError } from "../../src/rpc/contract.ts"
import { gatewayEnv, Visitor } from "./visitor.ts"

const render = async (error: HttpError) => {
  const response = HttpServerResponse.toWeb(await Effect.runPromise(toProblemResponse(error)))
  return { status: response.status, headers: response.headers, body: await response.json() }
}

const inTenSeconds = () => Date.now() + 10_000
const issues = [{ path: "tokens.scope", message: "Expected array" }]

/** An error, the last part of its URN, its status, and the members that it must carry. */
const problems: ReadonlyArray<readonly [HttpError, string, number, Record<string, unknown>]> = [
  [new errors.InvalidRequest({ method: "setToken", issues }), "invalid-request", 400, { issues }],
  [new requestErrors.Unauthorized({ reason: "invalid" }), "unauthorized", 401, {}],
  [new requestErrors.CrossSite(), "cross-site", 403, {}],
  [new requestErrors.NotFound({ path: "/x" }), "not-found", 404, {}],
  [new requestErrors.PersonNotFound({ userId: "ada" }), "person-not-found", 404, { userId: "ada" }],
  [new requestErrors.RunNotFound({ id: "move-1" }), "run-not-found", 404, { id: "move-1" }],
  [new errors.AccountNotConnected({ provider: "spotify" }), "account-not-connected", 404, { provider: "spotify" }],
  [
    new requestErrors.MethodNotAllowed({ path: "/x", allowed: ["GET"] }),
    "method-not-allowed",
    405,
    { allowed: ["GET"] },
  ],
  [
    new errors.ReauthorizationRequired({ provider: "youtube", reason: "invalid_grant" }),
    "reauthorization-required",
    409,
    { provider: "youtube", reason: "invalid_grant" },
  ],
  [
    new requestErrors.Conflict({ reason: "run_under_way", detail: "Wait for it", people: ["ada"] }),
    "conflict",
    409,
    { reason: "run_under_way", people: ["ada"] },
  ],
  [new errors.PersonForgotten({ method: "setToken" }), "person-forgotten", 409, {}],
  [new requestErrors.PayloadTooLarge({ limit: 1 }), "payload-too-large", 413, { limit: 1 }],
  [new requestErrors.UnsupportedMediaType(), "unsupported-media-type", 415, {}],
  [
    new requestErrors.PolledTooSoon({ retryAt: 1, accounts: [], delivered: 0, undelivered: 2 }),
    "polled-too-soon",
    429,
    { retryAt: 1, accounts: [], undelivered: 2 },
  ],
  [
    new errors.RateLimited({ provider: "spotify", reason: "rate_limited", retryAt: 1 }),
    "rate-limited",
    429,
    { provider: "spotify", retryAt: 1 },
  ],
  [new errors.InternalError({ reference: "ref" }), "internal-error", 500, { reference: "ref" }],
  [new errors.Misconfigured({ problem: "Set X" }), "misconfigured", 500, { detail: "Set X" }],
  [
    new errors.SealBroken({ provider: "spotify", reason: "unknown_key", keyId: "k1" }),
    "seal-broken",
    500,
    { provider: "spotify" },
  ],
  [
    new errors.ProviderUnavailable({ provider: "spotify", reason: "503", retryAt: null }),
    "provider-unavailable",
    502,
    { provider: "spotify", retryAt: null },
  ],
  [
    new errors.ObjectUnavailable({ method: "getStatus", retryable: false, overloaded: true }),
    "object-unavailable",
    503,
    { overloaded: true },
  ],
  [
    new requestErrors.ServiceUnavailable({ service: "Workflows", operation: "begin", reason: "down" }),
    "service-unavailable",
    503,
    { service: "Workflows" },
  ],
  [new errors.DatabaseUnavailable({ operation: "feed", reason: "down" }), "database-unavailable", 503, {}],
]

describe("problem details", () => {
  it("name each kind of thing that does not exist in a title of its own", () => {
    const missing = problems.filter(([, , status]) => status === 404)
    const titles = new Set(missing.map(([error]) => toProblem(error, 0).title))
    expect([missing.length, titles.size]).toEqual([4, 4])
  })

  it.each(problems)("of %s", async (error, urn, status, members) => {
    const { status: actual, headers, body } = await render(error)
    expect(actual).toBe(status)
    expect(headers.get("content-type")).toBe("application/problem+json")
    expect(body).toMatchObject({ type: `urn:pollen:problem:${urn}`, status, title: expect.any(String), ...members })
    expect(body).toMatchObject({ detail: error.message })
  })

  it("carry the headers that belong to the status", async () => {
    const limited = new errors.RateLimited({ provider: "spotify", reason: "rate_limited", retryAt: inTenSeconds() })
    expect(Number((await render(limited)).headers.get("retry-after"))).toBeGreaterThanOrEqual(9)
    const over = new errors.RateLimited({ provider: "spotify", reason: "rate_limited", retryAt: 0 })
    expect((await render(over)).headers.get("retry-after")).toBe("1")
    const unavailable = new errors.ObjectUnavailable({ method: "x", retryable: true, overloaded: false })
    expect((await render(unavailable)).headers.get("retry-after")).toMatch(/^\d+$/)
    const notAllowed = new requestErrors.MethodNotAllowed({ path: "/x", allowed: ["GET", "PUT"] })
    expect((await render(notAllowed)).headers.get("allow")).toBe("GET, PUT")
  })
})

/** The gateway, on a core worker whose `getStatus` ends as given. */
const gatewayWhere = (getStatus: Effect.Effect<never, CommonError>) =>
  makeGatewayWith(
    Layer.mergeAll(
      Layer.effect(
        Core,
        Effect.map(Core, (core) => ({ ...core, getStatus: () => getStatus })),
      ).pipe(Layer.provide(Core.layer(gatewayEnv.CORE))),
      Feed.layer(gatewayEnv.DB),
      Authorization.layer(gatewayEnv.GATEWAY_KEY),
    ),
  )

describe("the gateway", () => {
  it("answers 503 with Retry-After when the object cannot be reached", async () => {
    const error = new errors.ObjectUnavailable({ method: "getStatus", retryable: true, overloaded: false })
    const { status, headers, body } = await new Visitor().get("/v1/status", gatewayWhere(Effect.fail(error)))
    expect(status).toBe(503)
    expect(headers.get("retry-after")).toBe("5")
    expect(body).toMatchObject({ type: "urn:pollen:problem:object-unavailable" })
  })

  it("answers a defect with a reference and nothing about it", async () => {
    const { status, body } = await new Visitor().get("/v1/status", gatewayWhere(Effect.die(new Error("a secret"))))
    expect(status).toBe(500)
    expect(body).toMatchObject({ type: "urn:pollen:problem:internal-error", reference: expect.any(String) })
    expect(JSON.stringify(body)).not.toContain("secret")
  })
})

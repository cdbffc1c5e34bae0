import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { Provider } from "../../src/domain/provider.ts"
import { makeGateway } from "../../src/gateway/makeGateway.ts"
import { type AccountPoll, PollNow } from "../../src/rpc/methods.ts"
import { Person, simulator } from "../object/person.ts"
import { gatewayEnv, Visitor } from "./visitor.ts"

/** Somebody who connects an account over HTTP, with a grant of the simulator. */
const connected = async (provider: Provider, ...sources: ReadonlyArray<string>) => {
  const person = await new Person().follows(...sources)
  const visitor = new Visitor(person.id)
  const { accessToken, refreshToken, expiresAt, scope } = await simulator.grant(person.id, provider)
  const body = { accessToken, refreshToken, expiresAt, scope }
  const answer = await visitor.ask("PUT", `/v1/accounts/${provider}/token`, { body })
  expect(answer).toMatchObject({ status: 200, body: { provider, state: "connected" } })
  return visitor
}

const tooSoon = (provider: Provider, retryAt: number) => ({
  ...{ provider, outcome: "too_soon" as const, reason: "polled a moment ago", retryAt },
  ...{ sources: 1, asked: 0, failed: 0, itemsFound: 0, requests: 0 },
})

/** A gateway whose core answers each poll so. */
const gatewayAnswering = (...accounts: ReadonlyArray<AccountPoll>) => {
  const exit = PollNow.encodeExit(Exit.succeed({ accounts, delivered: 0, undelivered: 2 }))
  const CORE = new Proxy(gatewayEnv.CORE, {
    get: (core, key) => (key === "pollNow" ? async () => ({ method: "pollNow", exit }) : Reflect.get(core, key)),
  })
  return makeGateway({ ...gatewayEnv, CORE })
}

describe("a poll that is asked for too soon", () => {
  it("is answered with 429, what is known, and when a poll is possible", async () => {
    const soon = Date.now() + 30_000
    const accounts = [tooSoon("spotify", soon + 20_000), tooSoon("youtube", soon)]
    const answer = await new Visitor().ask("POST", "/v1/poll", { gateway: gatewayAnswering(...accounts) })
    expect(answer).toMatchObject({
      status: 429,
      body: { type: "urn:pollen:problem:polled-too-soon", retryAt: soon, accounts, delivered: 0, undelivered: 2 },
    })
    const seconds = Number(answer.headers.get("retry-after"))
    expect(seconds).toBeGreaterThan(20)
    expect(seconds).toBeLessThanOrEqual(30)
  })

  it("for one of two accounts is answered with both", async () => {
    const spotify = { ...tooSoon("spotify", 1), outcome: "polled" as const, retryAt: null }
    const gateway = gatewayAnswering(spotify, tooSoon("youtube", 1))
    expect(await new Visitor().ask("POST", "/v1/poll", { gateway })).toMatchObject({
      status: 200,
      body: { accounts: [{ outcome: "polled" }, { outcome: "too_soon" }] },
    })
  })
})

describe("a person, over HTTP", () => {
  it("connects, polls, reads the feed and the status, disconnects, and is forgotten", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 3 })
    const visitor = await connected("spotify", show)
    expect(await visitor.ask("POST", "/v1/poll")).toMatchObject({ status: 200, body: { delivered: 3, undelivered: 0 } })
    expect(await visitor.get("/v1/feed")).toMatchObject({
      status: 200,
      body: { items: [{ isBackfill: true, source: { id: show, title: expect.any(String) } }, {}, {}] },
    })
    expect(await visitor.get("/v1/status")).toMatchObject({
      status: 200,
      body: { userId: visitor.id, accounts: [{ provider: "spotify", state: "connected" }] },
    })
    expect(await visitor.get("/v1/subscriptions?provider=spotify&limit=1")).toMatchObject({
      status: 200,
      body: { subscriptions: [{ sourceId: show }], next: null },
    })
    expect(await visitor.ask("POST", "/v1/accounts/validate")).toMatchObject({
      status: 200,
      body: { accounts: [{ provider: "spotify", isValid: true }] },
    })
    const disconnect = () => visitor.ask("DELETE", "/v1/accounts/spotify")
    expect(await disconnect()).toMatchObject({ status: 200, body: { provider: "spotify", removed: true } })

    expect(await visitor.ask("DELETE", "/v1/me")).toMatchObject({
      status: 400,
      body: { issues: [{ path: "confirm" }] },
    })
    expect(await visitor.ask("DELETE", "/v1/me?confirm=somebody-else")).toMatchObject({ status: 400 })
    const forgotten = await visitor.ask("DELETE", "/v1/me", { headers: { confirm: visitor.id } })
    expect(forgotten).toMatchObject({ status: 200, body: { forgotten: true } })
    expect(await visitor.get("/v1/feed")).toMatchObject({ body: { items: [], next: null } })
  })

  it("says when a grant was authorized, and sees by when to connect again", async () => {
    const visitor = new Visitor(new Person().id)
    const { accessToken, refreshToken, expiresAt, scope } = await simulator.grant(visitor.id, "spotify")
    const authorizedAt = Date.now() - 30 * 24 * 3_600_000
    const body = { accessToken, refreshToken, expiresAt, scope, authorizedAt }
    expect(await visitor.ask("PUT", "/v1/accounts/spotify/token", { body })).toMatchObject({ status: 200 })
    expect(await visitor.get("/v1/status")).toMatchObject({
      body: { accounts: [{ authorizedAt, reconnectBy: authorizedAt + 181 * 24 * 3_600_000 }] },
    })
  })

  it("sees each source finish when asking for events", async () => {
    const shows = [
      await simulator.createSource({ provider: "spotify", items: 2 }),
      await simulator.createSource({ provider: "spotify", items: 1 }),
    ]
    const visitor = await connected("spotify", ...shows)
    await visitor.ask("POST", "/v1/poll")
    for (const show of shows) await simulator.publish(show, 1)
    const { response, settled } = await visitor.stream("POST", "/v1/poll", { accept: "text/event-stream" })
    expect(response.headers.get("content-type")).toContain("text/event-stream")
    const text = await response.text()
    await settled()
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, json = ""]) => [
      name,
      JSON.parse(json),
    ])
    expect(events.map(([name]) => name)).toEqual(["progress", "progress", "done"])
    expect(new Set(events.slice(0, 2).map(([, { sourceId }]) => sourceId))).toEqual(new Set(shows))
    expect(events[2]?.[1]).toMatchObject({ delivered: 2 })
  })

  it("who goes away in mid-stream does the poll no harm", async () => {
    const shows = [
      await simulator.createSource({ provider: "spotify", items: 1 }),
      await simulator.createSource({ provider: "spotify", items: 1 }),
    ]
    const visitor = await connected("spotify", ...shows)
    await visitor.ask("POST", "/v1/poll")
    for (const show of shows) await simulator.publish(show, 2)
    const { response, settled } = await visitor.stream("POST", "/v1/poll", { accept: "text/event-stream" })
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await settled()
    expect(await visitor.get("/v1/feed")).toMatchObject({ body: { items: { length: 6 } } })
  })
})

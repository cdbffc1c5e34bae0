import { createServer } from "node:http"
import { setTimeout } from "node:timers/promises"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { Api } from "../../src/migration/api/Api.ts"
import { dropConfirmation } from "../../src/migration/api/drop.ts"
import { forever } from "../forever.ts"
import { type OperatorSystem, startOperatorSystem } from "./operator.ts"

const audience = "the-audience-of-pollen"
const { publicKey, privateKey } = await generateKeyPair("RS256")

/** Stands in for Cloudflare Access: publishes the keys with which it signs. */
const access = createServer(async (_request, response) => {
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }] }))
})

let system: OperatorSystem
let issuer: string
beforeAll(async () => {
  await new Promise<void>((resolve) => access.listen(0, "127.0.0.1", () => resolve()))
  const address = access.address()
  issuer = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  system = await startOperatorSystem({ CF_ACCESS_TEAM_DOMAIN: issuer, CF_ACCESS_AUD: audience })
})
afterAll(async () => {
  await system.close()
  access.close()
})

let made = 0

/** People whose grants are in D1, followed by nobody. */
const settle = async (count: number) => {
  const database = system.database
  const ids = Array.from({ length: count }, () => `user-${String(made++).padStart(4, "0")}`)
  await system.simulator.createPeople(ids.map((id) => ({ id, sources: [] })))
  for (const id of ids) {
    const grant = await system.simulator.grant(id, "spotify")
    await database
      .prepare(
        `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope)
         VALUES (?1, 'spotify', 1, ?2, ?3, ?4, ?5)`,
      )
      .bind(id, grant.accessToken, grant.refreshToken, grant.expiresAt, grant.scope.join(" "))
      .run()
  }
  return ids
}

const aimAt = (stage: string, people: ReadonlyArray<string>) =>
  system.ask("PATCH", `/v1/flags/stages/${stage}`, { allowList: { add: people } })

const untilOver = (id: string) =>
  vi.waitUntil(
    async () => {
      const { body } = await system.ask("GET", `/v1/runs/${id}`)
      return ["running", "paused"].includes(body.state) ? undefined : body
    },
    { timeout: forever, interval: 100 },
  )

/** A run of one person that stands still in the middle of the hand-over, until it is let go. */
const startHeldRun = async () => {
  const [id = ""] = await settle(1)
  await aimAt("live", [id])
  const held = await system.simulator.hold({ person: id, kind: "library" })
  const { body: run } = await system.ask("POST", "/v1/runs", { people: [id], patienceSeconds: 0 })
  await system.simulator.waitForHeld(held, 1, forever)
  return { person: id, run, letGo: () => system.simulator.release(held) }
}

describe("A run", () => {
  it("moves people as a Workflow, and tells how far it is as it happens", async () => {
    const people = await settle(7)
    await aimAt("shadow", people)
    const { status, body: run } = await system.ask("POST", "/v1/runs", { people, pageSize: 3, patienceSeconds: 0 })
    expect(status).toBe(200)
    const { authorization } = { authorization: `Bearer ${system.adminToken}` }
    const events = await system.request(`/v1/runs/${run.id}`, {
      headers: { authorization, accept: "text/event-stream" },
    })
    const text = await events.text()
    const [last = ""] = text.trim().split("\n\n").slice(-1)
    expect(last).toMatch(/^event: done\n/)
    expect(JSON.parse(last.replace(/^event: done\ndata: /, ""))).toMatchObject({
      state: "finished",
      startedBy: "admin",
      progress: { people: 7, steps: 14, taken: 14, arrived: 7, pass: 3 },
    })
  })

  it("is one at a time: another is refused while it is under way, and a dry one is not", async () => {
    const { run, letGo } = await startHeldRun()
    expect(await system.ask("POST", "/v1/runs", { everybody: true })).toMatchObject({
      status: 409,
      body: { type: "urn:pollen:problem:conflict", reason: "run_under_way" },
    })
    const dry = await system.ask("POST", "/v1/runs", { isDry: true, people: await settle(1) })
    expect(dry.status).toBe(200)
    expect(await untilOver(dry.body.id)).toMatchObject({ state: "finished" })
    await letGo()
    expect(await untilOver(run.id)).toMatchObject({ state: "finished" })
  })

  it("pauses after the page under way, and goes on from there", async () => {
    const { person, run, letGo } = await startHeldRun()
    expect((await system.ask("POST", `/v1/runs/${run.id}/pause`)).body).toMatchObject({ state: "paused" })
    await letGo()
    expect((await system.ask("POST", `/v1/runs/${run.id}/pause`)).body).toMatchObject({ reason: "run_paused" })
    await system.ask("POST", `/v1/runs/${run.id}/resume`)
    expect(await untilOver(run.id)).toMatchObject({ state: "finished", progress: { taken: 3, arrived: 1 } })
    expect((await system.ask("GET", `/v1/people/${person}`)).body).toMatchObject({ stage: "live", target: "live" })
  })

  it("is cancelled by a rollback, which takes people back and keeps them there until that is lifted", async () => {
    const { person, run, letGo } = await startHeldRun()
    const started = await system.ask("POST", "/v1/rollbacks", {
      to: "dual_write",
      people: [person],
      patienceSeconds: 0,
    })
    await letGo()
    expect(started.status).toBe(200)
    expect(await untilOver(run.id)).toMatchObject({ state: "cancelled" })
    expect(await untilOver(started.body.id)).toMatchObject({ state: "finished", kind: "rollback" })
    const again = await system.ask("POST", "/v1/runs", { people: [person], patienceSeconds: 0 })
    await untilOver(again.body.id)
    expect((await system.ask("GET", `/v1/people/${person}`)).body).toMatchObject({
      stage: "dual_write",
      target: "dual_write",
      ceiling: "dual_write",
      accounts: [{ holder: "database", object: { isHolder: false, isSame: true } }],
    })
    expect((await system.ask("POST", "/v1/lifts", { people: [person] })).body).toEqual({ lifted: 1 })
    const forth = await system.ask("POST", "/v1/runs", { people: [person], patienceSeconds: 0 })
    expect(await untilOver(forth.body.id)).toMatchObject({ progress: { arrived: 1 } })
  })

  it("that is a rollback gives way to a rollback of everybody alone", async () => {
    const [ada = "", ben = ""] = await settle(2)
    const rollback = (asked: object) =>
      system.ask("POST", "/v1/rollbacks", { to: "dual_write", patienceSeconds: 0, ...asked })
    const first = await rollback({ people: [ada] })
    await untilOver(first.body.id)
    const database = system.database
    await database.prepare("UPDATE migration_runs SET state = 'paused' WHERE id = ?1").bind(first.body.id).run()
    expect(await rollback({ people: [ben] })).toMatchObject({ status: 409, body: { reason: "rollback_under_way" } })
    expect(await rollback({ at: "live" })).toMatchObject({ status: 409, body: { reason: "rollback_under_way" } })
    const all = await rollback({ everybody: true })
    expect(all.status).toBe(200)
    expect((await system.ask("GET", `/v1/runs/${first.body.id}`)).body).toMatchObject({ state: "cancelled" })
    expect(await untilOver(all.body.id)).toMatchObject({ state: "finished" })
    await system.ask("POST", "/v1/lifts", { everybody: true })
  })

  it("that is running is not hurt by being taken on", async () => {
    const { run, letGo } = await startHeldRun()
    const taken = system.ask("POST", "/v1/runs/take-on")
    // It answers only when the page under way has ended; until then nothing tells that it has begun.
    await setTimeout(1000)
    await letGo()
    expect((await taken).body.runs).toMatchObject([{ id: run.id }])
    expect(await untilOver(run.id)).toMatchObject({ state: "finished", progress: { taken: 3, arrived: 1 } })
  })

  it("does not start while the kill switch is set", async () => {
    await system.ask("PATCH", "/v1/flags/move", { isHalted: true })
    expect(await system.ask("POST", "/v1/runs", { everybody: true })).toMatchObject({
      status: 409,
      body: { reason: "halted" },
    })
    expect(await system.ask("POST", "/v1/rollbacks", { to: "off", everybody: true })).toMatchObject({ status: 409 })
    expect((await system.ask("PATCH", "/v1/flags/move", { isHalted: false })).body).toMatchObject({ isHalted: false })
  })
})

describe("The operator", () => {
  const asWho = async (headers: Record<string, string>) => (await system.request("/v1/flags", { headers })).status
  const signed = (
    claims: Record<string, unknown>,
    options: { audience?: string; issuer?: string; expires?: string } = {},
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .setIssuedAt()
      .setIssuer(options.issuer ?? issuer)
      .setAudience(options.audience ?? audience)
      .setExpirationTime(options.expires ?? "5 minutes")
      .sign(privateKey)

  it("is let in by the admin credential alone, whole", async () => {
    expect(await asWho({ authorization: `Bearer ${system.adminToken}` })).toBe(200)
    for (const wrong of ["", "x", system.adminToken.slice(0, -1), `${system.adminToken}x`]) {
      expect(await asWho({ authorization: `Bearer ${wrong}` })).toBe(401)
    }
    const response = await system.request("/v1/flags", {})
    expect(response.status).toBe(401)
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="pollen"')
  })

  it("is let in by a token of Cloudflare Access, for this application, and is written down by their name", async () => {
    const token = await signed({ email: "ada@example.com" })
    const response = await system.request("/v1/flags/move", {
      method: "PATCH",
      headers: { "cf-access-jwt-assertion": token, "content-type": "application/json" },
      body: JSON.stringify({ denyList: { add: ["somebody"] } }),
    })
    expect(response.status).toBe(200)
    const { body } = await system.ask("GET", "/v1/actions?limit=1")
    expect(body.actions).toMatchObject([
      {
        actor: "access: ada@example.com",
        action: "changeMove",
        detail: { denyList: { add: ["somebody"] } },
        outcome: "ok",
      },
    ])
    await system.ask("PATCH", "/v1/flags/move", { denyList: { remove: ["somebody"] } })
  })

  it.each([
    ["another application", () => signed({ email: "ada@example.com" }, { audience: "another" })],
    ["another team", () => signed({ email: "ada@example.com" }, { issuer: "https://another.cloudflareaccess.com" })],
    ["a time that is over", () => signed({ email: "ada@example.com" }, { expires: "-5 minutes" })],
    ["nobody", () => signed({})],
    ["nothing", async () => "not-a-token"],
  ])("is not let in by a token for %s", async (_whom, make) => {
    expect(await asWho({ "cf-access-jwt-assertion": await make() })).toBe(401)
  })

  it("leaves a trace of every action, also of one that was refused, and none of a secret", async () => {
    const people = ["nobody"]
    const columns = { userId: "id", accessToken: "a", refreshToken: "r", expiresAt: "e" }
    const mapping = { table: "old_grants", columns, provider: "spotify", timestamps: "seconds" }
    const ofSource = { userId: "id", sourceId: "s" }
    const follows = { ...mapping, what: "follows", columns: ofSource, polledAt: "2026-11-01T00:00:00Z" }
    const feed = { ...mapping, what: "feed", columns: { ...ofSource, itemId: "i", publishedAt: "p", title: "t" } }
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")
    const payloads: Readonly<Record<string, object>> = {
      changeMove: { isHalted: false },
      changeStage: { percentage: 0 },
      startMove: { people, isDry: true },
      startRollback: { people, isDry: true, to: "off" },
      clearCeilings: { people },
      endPauses: {},
      verify: { people },
      exportTokens: { people, recipient: { kty: "oct", k: key } },
      checkTable: { mapping },
      importRows: { mapping, isDry: true },
      checkFollows: { mapping: follows },
      importFollows: { mapping: follows, isDry: true },
      checkFeed: { mapping: feed },
      importFeed: { mapping: feed, isDry: true },
      dropTokenColumns: { confirm: dropConfirmation },
    }
    // Whatever the API has that may change something, so that what is added to it is written down too.
    const changing = Object.values(Api.groups)
      .flatMap((group) => Object.entries(group.endpoints))
      .filter(([, { method }]) => method !== "GET")
    for (const [name, { method, path }] of changing) {
      const address = path.replace(":stage", "rampdown").replace(":id", "nothing")
      await system.ask(method, address, payloads[name])
    }
    const { body } = await system.ask("GET", `/v1/actions?limit=${changing.length}`)
    const written = (body.actions as ReadonlyArray<{ readonly action: string }>).map(({ action }) => action)
    expect(written.toSorted()).toEqual(changing.map(([name]) => name).toSorted())
    expect(body.actions).toContainEqual(
      expect.objectContaining({
        action: "cancelRun",
        detail: { id: "nothing" },
        outcome: "RunNotFound",
        actor: "admin",
      }),
    )
    const text = JSON.stringify(body)
    const secrets = [...(await system.simulator.secrets()), system.adminToken, key]
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  })
})

it("leaves no token in any log", async () => {
  const logs = system.harness.getLogs().map((log) => JSON.stringify(log))
  expect(logs.filter((line) => line.includes("not disposed properly"))).toEqual([])
  const secrets = [...(await system.simulator.secrets()), system.adminToken]
  expect(secrets.length).toBeGreaterThan(1)
  expect(logs.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
})

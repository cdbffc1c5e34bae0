import { env } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import { makeMigration } from "../../src/migration/makeMigration.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { aimAt, bindings, move, rollBack } from "./driver.ts"

const credential = "x".repeat(32)
const nobody = () => Promise.reject(new Error("there is no Workflow here"))
const migration = makeMigration({
  ...bindings,
  MOVE: { get: nobody, create: nobody, createBatch: nobody, deleteBatch: nobody },
  ADMIN_TOKEN: credential,
})

const json = { "content-type": "application/json" }

/** Asks the migration worker as an operator. A text is sent as it is. */
const ask = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = json) => {
  const response = await migration(
    new Request(`https://pollen.test${path}`, {
      method,
      headers: { authorization: `Bearer ${credential}`, ...headers },
      // As bytes, which have no media type unless a header says so.
      ...(body === undefined
        ? {}
        : { body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)) }),
    }),
  )
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: await response.json<Record<string, unknown>>(),
  }
}

const actions = async () => (await env.DB.prepare("SELECT count(*) AS n FROM operator_actions").first<number>("n")) ?? 0

describe("A request that does not match the API", () => {
  const [live, halt] = ["/v1/flags/stages/live", "/v1/flags/move"]
  const columns = { userId: "id", accessToken: "a", refreshToken: "r", expiresAt: "e" }

  it.each<readonly [string, string, unknown, string, RegExp]>([
    ["PATCH", live, { percentage: 33.333 }, "percentage", /at most two decimals/],
    ["PATCH", live, { percentage: 100.01 }, "percentage", /0 to 100/],
    ["PATCH", live, { percentage: "10" }, "percentage", /number/],
    ["PATCH", live, {}, "", /at least one of isEnabled, percentage, allowList/],
    ["PATCH", live, { allowList: {} }, "allowList", /at least one of set, add, remove/],
    ["PATCH", live, { allowList: { add: [""] } }, "allowList.add.0", /must not be empty/],
    ["PATCH", live, { percent: 10 }, "percent", /not a field/],
    ["PATCH", "/v1/flags/stages/lively", { percentage: 10 }, "stage", /live/],
    ["PATCH", halt, {}, "", /at least one of isHalted, denyList/],
    ["POST", "/v1/runs", { pageSize: 1001 }, "pageSize", /1 to 1000/],
    ["POST", "/v1/runs", { people: [] }, "people", /must not be empty/],
    ["POST", "/v1/runs", { everybody: true, dryRun: true, person: ["ada"] }, "dryRun", /not a field/],
    ["POST", "/v1/runs", { everybody: true, dryRun: true, person: ["ada"] }, "person", /not a field/],
    ["POST", "/v1/runs", {}, "people", /exactly one of people and everybody/],
    ["POST", "/v1/runs", { everybody: false }, "people", /exactly one of people and everybody/],
    ["POST", "/v1/runs", { people: ["ada"], everybody: true }, "people", /exactly one of people and everybody/],
    ["POST", "/v1/runs?isDry=true", { everybody: true }, "isDry", /not a field/],
    ["POST", "/v1/lifts", {}, "people", /exactly one of people and everybody/],
    ["POST", "/v1/lifts", { person: ["ada"], everybody: true }, "person", /not a field/],
    ["POST", "/v1/runs/nothing/pause", { isDry: true }, "isDry", /not a field/],
    ["POST", "/v1/runs/nothing/pause?isDry=true", undefined, "isDry", /not a field/],
    ["POST", "/v1/runs/nothing/pause", "{", "", /must be empty/],
    ["POST", "/v1/verifications", { person: ["ada"] }, "person", /not a field/],
    ["POST", "/v1/exports", { recipient: { kty: "oct", k: "AAAA", kay: 1 } }, "recipient.kay", /not a field/],
    ["POST", "/v1/runs", "{", "", /./],
    ["POST", "/v1/rollbacks", { to: "off" }, "people", /exactly one of people, at and everybody/],
    ["POST", "/v1/rollbacks", { to: "of", everybody: true }, "to", /off/],
    ["POST", "/v1/verifications", { limit: 0 }, "limit", /1 to 500/],
    ["POST", "/v1/exports", { recipient: { kty: "RSA" } }, "recipient.kty", /EC/],
    ["POST", "/v1/exports", { recipient: { kty: "oct", k: "AAAA" } }, "recipient", /32 bytes/],
    [
      "POST",
      "/v1/tables/check",
      { mapping: { table: 'a"b', columns, provider: "spotify", timestamps: "iso" } },
      "mapping.table",
      /must be a name/,
    ],
    [
      "POST",
      "/v1/tables/intake",
      { mapping: { table: "t", columns, timestamps: "iso" } },
      "mapping.columns.provider",
      /exactly one of/,
    ],
    ["POST", "/v1/contract", { confirm: "yes" }, "confirm", /drop the token columns/],
    ["GET", "/v1/metrics?since=yesterday", undefined, "since", /./],
    ["GET", "/v1/actions?limit=201", undefined, "limit", /1 to 200/],
    ["GET", "/v1/actions?after=1", undefined, "after", /not a field/],
    ["GET", "/v1/flags?stage=live", undefined, "stage", /not a field/],
    ["GET", `/v1/people/${"x".repeat(257)}`, undefined, "userId", /at most 256/],
  ])(
    "is answered with the field and the rule, and is not audited: %s %s %j",
    async (method, path, body, field, rule) => {
      const before = await actions()
      const answer = await ask(method, path, body)
      expect(answer).toMatchObject({
        status: 400,
        type: "application/problem+json",
        body: { type: "urn:pollen:problem:invalid-request", status: 400, title: "The request is not valid" },
      })
      expect(answer.body["issues"]).toContainEqual({ path: field, message: expect.stringMatching(rule) })
      // What only the export's key or the database says is wrong is found after the action began.
      if (field !== "recipient") expect(await actions()).toBe(before)
    },
  )

  it("is not taken for one to another route because a user id in it is long", async () => {
    for (const id of ["x".repeat(256), "€".repeat(256)]) {
      expect(await ask("GET", `/v1/people/${encodeURIComponent(id)}`)).toMatchObject({
        status: 404,
        body: { userId: id },
      })
    }
  })

  it("has its unknown fields told by name, and never by value", async () => {
    const answer = await ask("POST", "/v1/runs", { everybody: true, accessToken: "secret-value" })
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toContain("accessToken")
    expect(JSON.stringify(answer.body)).not.toContain("secret-value")
  })

  it("is told of everything that is wrong in it at once", async () => {
    const { body } = await ask("POST", "/v1/runs", { pageSize: 0, concurrency: 101, patienceSeconds: -1 })
    expect(body["issues"]).toHaveLength(3)
  })
})

// Cloudflare Access lets a browser's cookie in, wherever the page is from that sends it.
describe("A page elsewhere", () => {
  const rollback = { to: "off", everybody: true }

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["a cross-site request", { ...json, "sec-fetch-site": "cross-site" }],
    ["a foreign origin", { ...json, origin: "https://elsewhere.test" }],
    ["a neighbour's origin", { ...json, "sec-fetch-site": "same-site", origin: "https://other.pollen.test" }],
    ["another scheme", { ...json, origin: "http://pollen.test" }],
    ["an origin that is hidden", { ...json, origin: "null" }],
  ])("changes nothing: %s", async (_what, headers) => {
    const before = await actions()
    for (const [method, path, body] of [
      ["POST", "/v1/rollbacks", rollback],
      ["POST", "/v1/runs/nothing/cancel", undefined],
      ["PATCH", "/v1/flags/move", { isHalted: true }],
    ] as const) {
      expect(await ask(method, path, body, headers)).toMatchObject({
        status: 403,
        type: "application/problem+json",
        body: { type: "urn:pollen:problem:cross-site" },
      })
    }
    expect(await actions()).toBe(before)
  })

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["no media type", {}],
    ["that of a form", { "content-type": "text/plain" }],
  ])("cannot pass off a body with %s as JSON", async (_what, headers) => {
    const before = await actions()
    expect(await ask("POST", "/v1/rollbacks", rollback, headers)).toMatchObject({
      status: 415,
      type: "application/problem+json",
      body: { type: "urn:pollen:problem:unsupported-media-type" },
    })
    expect(await actions()).toBe(before)
  })

  it("is not what these are: the worker's own page, a page that reads, and a program", async () => {
    const own = { ...json, origin: "https://pollen.test", "sec-fetch-site": "same-origin" }
    expect((await ask("POST", "/v1/lifts", { everybody: true, isDry: true }, own)).status).toBe(200)
    expect((await ask("GET", "/v1/flags", undefined, { "sec-fetch-site": "cross-site" })).status).toBe(200)
    expect((await ask("POST", "/v1/lifts", { everybody: true, isDry: true })).status).toBe(200)
  })
})

describe("What does not exist", () => {
  it.each([
    ["GET", "/v1/people/nobody", "person-not-found", "The person does not exist"],
    ["GET", "/v1/runs/nothing", "run-not-found", "The run does not exist"],
    ["POST", "/v1/runs/nothing/pause", "run-not-found", "The run does not exist"],
    ["POST", "/v1/runs/nothing/cancel", "run-not-found", "The run does not exist"],
    ["GET", "/v1/persons/nobody", "not-found", "The route does not exist"],
  ])("is told by name: %s %s", async (method, path, type, title) => {
    expect(await ask(method, path)).toMatchObject({ status: 404, body: { type: `urn:pollen:problem:${type}`, title } })
  })
})

describe("A person", () => {
  const obstacleOf = async ({ id }: PersonInMove) => (await ask("GET", `/v1/people/${id}`)).body["obstacle"]
  const set = (person: PersonInMove, columns: string) =>
    env.DB.prepare(`UPDATE user_accounts SET ${columns} WHERE user_id = ?1`).bind(person.id).run()

  it("whose rows can be moved has no obstacle", async () => {
    const person = new PersonInMove()
    await person.hasInDatabase("spotify")
    expect(await obstacleOf(person)).toBeNull()
  })

  it.each([
    ["unreadable_row", "state = 'odd'", /column/],
    ["unreadable_row", "expires_at = 'soon'", /spotify/],
    ["no_refresh_token", "refresh_token = ''", /spotify/],
    ["no_expiry", "expires_at = NULL", /spotify/],
    ["unknown_provider", "provider = 'cassette'", /cassette/],
  ])(
    "whose rows cannot be moved has the obstacle %s before any run has met them: %s",
    async (reason, columns, detail) => {
      const person = new PersonInMove()
      await person.hasInDatabase("spotify")
      await set(person, columns)
      expect(await obstacleOf(person)).toEqual({ reason, detail: expect.stringMatching(detail) })
    },
  )

  it("whose grant somebody else has too is told with whom, and no longer once it is the person's alone", async () => {
    const [one, other, third] = [new PersonInMove(), new PersonInMove(), new PersonInMove()]
    for (const person of [one, other, third]) await person.hasInDatabase("spotify")
    await set(one, "refresh_token = 'shared'")
    await set(other, "refresh_token = 'shared'")
    for (const [person, rival] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await obstacleOf(person)).toEqual({
        reason: "duplicate_account",
        detail: expect.stringMatching(new RegExp(`^${rival.id}: the same spotify grant`)),
      })
    }
    expect(await obstacleOf(third)).toBeNull()
    await set(other, "is_active = 0")
    expect(await obstacleOf(one)).toBeNull()
  })
})

it("Stages are counted with the people whom a rollback holds at one", async () => {
  const held = [new PersonInMove(), new PersonInMove()]
  const free = new PersonInMove()
  for (const person of [...held, free]) await person.hasInDatabase("spotify")
  const ids = [...held, free].map(({ id }) => id)
  await aimAt("shadow", ids)
  await move({ people: ids })
  expect((await ask("GET", "/v1/stages")).body).toMatchObject({ ceilings: [] })
  await rollBack({ to: "dual_write", people: held.map(({ id }) => id) })
  expect((await ask("GET", "/v1/stages")).body).toMatchObject({ ceilings: [{ ceiling: "dual_write", people: 2 }] })
  expect((await ask("POST", "/v1/lifts", { everybody: true })).body).toEqual({ lifted: 2 })
  expect((await ask("GET", "/v1/stages")).body).toMatchObject({ ceilings: [] })
})

import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { describe, expect, it, vi } from "vitest"
import type { Stage } from "../../../src/domain/stage.ts"
import { takePage } from "../../../src/migration/page/takePage.ts"
import { PageSettings } from "../../../src/migration/person/PageSettings.ts"
import { stepServices } from "../../../src/migration/run/stepServices.ts"
import { moveParameters } from "../../../src/migration/runs/parameters.ts"
import { forever } from "../../forever.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, type Bindings, begin, bindings, cancel, move, positionOf } from "../driver.ts"

const settled = async () => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  return person
}

const set = (person: PersonInMove, columns: string, ...values: ReadonlyArray<string | number | null>) =>
  env.DB.prepare(`UPDATE user_accounts SET ${columns} WHERE user_id = ?1 AND provider = 'spotify'`)
    .bind(person.id, ...values)
    .run()

/** Three people, of whom the one in the middle is poisoned, should be at a stage. */
const moveThree = async (
  poison: (person: PersonInMove) => Promise<unknown>,
  from: Stage,
  to: Stage,
  given: Bindings = bindings,
) => {
  const [before, poisoned, after] = [await settled(), await settled(), await settled()]
  const people = [before, poisoned, after].map(({ id }) => id)
  await aimAt(from, people)
  await move({ people })
  await poison(poisoned)
  await aimAt(to, people)
  const run = await move({ people }, { bindings: given })
  return { before, poisoned, after, run }
}

/** The bindings, with an object that answers one method in another way. */
const where = (
  method: string,
  answer: (payload: { readonly userId: string }) => Promise<unknown> | undefined,
): Bindings => ({
  ...bindings,
  CORE: new Proxy(bindings.CORE, {
    get: (target, key) => (payload: { readonly userId: string }) => {
      const other = key === method ? answer(payload) : undefined
      const member: unknown = Reflect.get(target, key)
      return other ?? (typeof member === "function" ? Reflect.apply(member, target, [payload]) : undefined)
    },
  }),
})

const thrown = (properties: object) => Promise.reject(Object.assign(new Error("thrown by the platform"), properties))

describe("One poisoned person stops nobody else, is told of by a stable name, and is tried again later", () => {
  it.each<readonly [string, string, (person: PersonInMove) => Promise<unknown>]>([
    ["no_refresh_token", "no refresh token", (person) => set(person, "refresh_token = NULL")],
    ["no_refresh_token", "an empty refresh token", (person) => set(person, "refresh_token = ''")],
    ["no_access_token", "an empty access token", (person) => set(person, "access_token = ''")],
    ["no_expiry", "no expiry", (person) => set(person, "expires_at = NULL")],
    ["unreadable_row", "an expiry in words", (person) => set(person, "expires_at = 'tomorrow'")],
    [
      "unreadable_row",
      "an access token without an end",
      (person) => set(person, "access_token = ?2", "x".repeat(5000)),
    ],
    ["unreadable_row", "a state that nobody knows", (person) => set(person, "state = 'odd'")],
    ["unreadable_row", "a holder that nobody knows", (person) => set(person, "holder = 'nobody'")],
    ["unknown_provider", "a provider that nobody knows", (person) => set(person, "provider = 'cassette'")],
  ])("%s: %s", async (reason, _what, poison) => {
    const { before, poisoned, after, run } = await moveThree(poison, "off", "dual_write")
    expect(run.progress).toMatchObject({ taken: 2, arrived: 2, failedAttempts: 1 })
    expect(run.progress.failures).toEqual([{ reason, people: 1, examples: [poisoned.id] }])
    for (const good of [before, after]) expect(await positionOf(good.id)).toMatchObject({ stage: "dual_write" })
    const position = await positionOf(poisoned.id)
    expect(position).toMatchObject({ stage: "off", target: "dual_write", state: "failed", reason, attempts: 1 })
    expect(position.nextAttemptAt).toBeGreaterThan(Date.now())
    expect(position.history).toMatchObject([{ from: "off", to: "dual_write", outcome: "failed", reason }])
  })

  it("duplicate_account: neither of two people who have the same grant is moved", async () => {
    const twin = await settled()
    const { poisoned, run } = await moveThree(
      async (person) => {
        const token = (await twin.row("spotify"))?.refresh_token ?? null
        await set(person, "refresh_token = ?2", token)
      },
      "off",
      "dual_write",
    )
    expect(run.progress.failures).toMatchObject([{ reason: "duplicate_account", people: 1, examples: [poisoned.id] }])
    await aimAt("dual_write", [twin.id])
    expect((await move({ people: [twin.id] })).progress.failures).toMatchObject([{ reason: "duplicate_account" }])
    // One of them connects again, with a grant of their own.
    await poisoned.connects("spotify")
    expect((await move({ people: [twin.id, poisoned.id] })).progress).toMatchObject({ arrived: 2 })
  })

  it("unreadable_user: a name that no object can have", async () => {
    const name = "n".repeat(300)
    const good = await settled()
    await env.DB.prepare(
      `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at) VALUES (?1, 'spotify', 1, 'a', 'r', 1)`,
    )
      .bind(name)
      .run()
    await env.DB.prepare(
      `INSERT INTO token_migration_status (user_id, stage, target, state, updated_at) VALUES (?1, 'shadow', 'shadow', 'migrated', 1)`,
    )
      .bind(name)
      .run()
    await aimAt("dual_write", [good.id])
    const run = await move({ people: [good.id, name as PersonInMove["id"]] })
    expect(run.progress).toMatchObject({ arrived: 1, failures: [{ reason: "unreadable_user", people: 1 }] })
    await env.DB.prepare("DELETE FROM user_accounts WHERE user_id = ?1").bind(name).run()
  })

  it.each<readonly [string, string, Stage, Stage, (id: string) => Bindings]>([
    [
      "object_unavailable",
      "importTokens",
      "off",
      "dual_write",
      (id) => where("importTokens", ({ userId }) => (userId === id ? thrown({}) : undefined)),
    ],
    [
      "object_failed",
      "importTokens",
      "off",
      "dual_write",
      (id) => where("importTokens", ({ userId }) => (userId === id ? Promise.resolve("nonsense") : undefined)),
    ],
    [
      "object_overloaded",
      "takeOver",
      "shadow",
      "live",
      (id) => where("takeOver", ({ userId }) => (userId === id ? thrown({ overloaded: true }) : undefined)),
    ],
    [
      "object_unavailable",
      "handBack",
      "live",
      "shadow",
      (id) => where("handBack", ({ userId }) => (userId === id ? thrown({}) : undefined)),
    ],
    [
      "object_unavailable",
      "setMirror",
      "live",
      "rampdown",
      (id) => where("setMirror", ({ userId }) => (userId === id ? thrown({}) : undefined)),
    ],
  ])("%s: an object whose %s fails", async (reason, _method, from, to, failing) => {
    const [bad, good] = [await settled(), await settled()]
    const people = [bad.id, good.id]
    await aimAt(from, people)
    await move({ people })
    await aimAt(to, people)
    const run = await move({ people }, { bindings: failing(bad.id) })
    expect(run.progress).toMatchObject({ arrived: 1, failures: [{ reason, people: 1, examples: [bad.id] }] })
    expect(await positionOf(bad.id)).toMatchObject({ stage: from, state: "failed", reason })
    // Once the object answers, the step is finished.
    expect((await move({ people })).progress).toMatchObject({ arrived: 1, failures: [] })
    expect(await positionOf(bad.id)).toMatchObject({ stage: to, reason: null, attempts: 0 })
  })

  it.each<readonly [Stage, Stage]>([
    ["live", "shadow"],
    ["rampdown", "complete"],
  ])("seal_broken: a grant that does not open is not given up from %s to %s", async (from, to) => {
    const { poisoned, run } = await moveThree(
      (person) =>
        runInDurableObject(person.stub, async (_object, state) => {
          state.storage.sql.exec("UPDATE tokens SET key_id = 'lost'")
        }),
      from,
      to,
    )
    expect(run.progress.failures).toMatchObject([{ reason: "seal_broken", examples: [poisoned.id] }])
    expect(await poisoned.row("spotify")).toMatchObject({ holder: "object", refresh_token: expect.any(String) })
    expect(await poisoned.fingerprints()).toMatchObject([{ isHolder: true, fingerprint: null }])
  })

  it("grant_refused: what D1 has of a grant that the provider has revoked is not forgotten", async () => {
    const revoke = (person: PersonInMove) => simulator.revoke(person.id, "spotify")
    const { poisoned, run } = await moveThree(revoke, "rampdown", "complete")
    expect(run.progress.failures).toMatchObject([{ reason: "grant_refused", examples: [poisoned.id] }])
    expect(await poisoned.row("spotify")).toMatchObject({ holder: "object", refresh_token: expect.any(String) })
  })

  it("grant_refused: a grant that the provider has revoked is not handed over, and stays with D1", async () => {
    const { poisoned, run } = await moveThree((person) => simulator.revoke(person.id, "spotify"), "shadow", "live")
    expect(run.progress.failures).toMatchObject([{ reason: "grant_refused", examples: [poisoned.id] }])
    expect(await poisoned.row("spotify")).toMatchObject({ holder: "database", epoch: 1 })
    const { fenced } = (await env.DB.prepare("SELECT fenced_until AS fenced FROM user_accounts WHERE user_id = ?1")
      .bind(poisoned.id)
      .first<{ readonly fenced: number | null }>()) ?? { fenced: 1 }
    expect(fenced).toBeNull()
  })
})

describe("Whoever has nothing to use moves too, so that everybody can get to the end", () => {
  it.each<readonly [string, string, (person: PersonInMove) => Promise<unknown>]>([
    ["has to connect again", "reauthorization_required", (person) => set(person, "state = 'reauthorization_required'")],
    [
      "has to connect again and has no token left",
      "reauthorization_required",
      (person) =>
        set(person, "state = 'reauthorization_required', access_token = NULL, refresh_token = NULL, expires_at = NULL"),
    ],
    [
      "has disconnected",
      "disconnected",
      (person) =>
        set(
          person,
          "state = 'disconnected', is_active = 0, access_token = NULL, refresh_token = NULL, expires_at = NULL",
        ),
    ],
    ["is inactive with a token left", "connected", (person) => set(person, "is_active = 0")],
  ])("somebody who %s", async (_what, state, change) => {
    const person = await settled()
    await change(person)
    const requests = await person.requests()
    await aimAt("complete", [person.id])
    expect((await move({ people: [person.id] })).progress).toMatchObject({ taken: 5, arrived: 1, failures: [] })
    expect(await person.row("spotify")).toMatchObject({ holder: "object", state, refresh_token: null })
    if (state === "reauthorization_required") expect(await person.account("spotify")).toMatchObject({ state })
    await aimAt("off", [person.id])
    expect((await move({ people: [person.id] })).progress).toMatchObject({ taken: 5, arrived: 1, failures: [] })
    expect(await person.row("spotify")).toMatchObject({ holder: "database", state })
    // A grant that was refused is asked nothing of.
    expect(await person.requests()).toBe(requests)
  })

  it("and whoever connects again at the end holds the new grant in the object", async () => {
    const person = await settled()
    await set(person, "state = 'reauthorization_required', refresh_token = NULL")
    await aimAt("complete", [person.id])
    await move({ people: [person.id] })
    await person.connects("spotify")
    expect(await person.account("spotify")).toMatchObject({ state: "connected" })
    expect(await person.fingerprints(true)).toMatchObject([{ isHolder: true, use: "works" }])
  })
})

describe("A refresh under way by D1's side", () => {
  const claim = (person: PersonInMove, until: number) =>
    set(person, "refresh_claim = 'somebody', refresh_claimed_until = ?2", until)

  it("that has died holds nobody up: its claim is over, and what it would write comes too late", async () => {
    const person = await settled()
    await aimAt("shadow", [person.id])
    await move({ people: [person.id] })
    await claim(person, Date.now() - 1)
    await aimAt("live", [person.id])
    expect((await move({ people: [person.id] })).progress).toMatchObject({ arrived: 1 })
    const late = await env.DB.prepare(
      "UPDATE user_accounts SET access_token = 'late' WHERE user_id = ?1 AND refresh_claim = 'somebody' AND holder = 'database' RETURNING 1",
    )
      .bind(person.id)
      .all()
    expect(late.results).toEqual([])
  })

  it("is waited for, and what it brings is what is handed over", async () => {
    const person = await settled()
    await aimAt("shadow", [person.id])
    await move({ people: [person.id] })
    await claim(person, Date.now() + forever)
    await aimAt("live", [person.id])
    const moving = move({ people: [person.id] })
    const isFenced = () =>
      env.DB.prepare("SELECT 1 FROM user_accounts WHERE user_id = ?1 AND fenced_until > ?2")
        .bind(person.id, Date.now())
        .first()
    await vi.waitUntil(isFenced, { timeout: forever })
    const grant = await simulator.grant(person.id, "spotify")
    await set(
      person,
      `access_token = ?2, refresh_token = ?3, expires_at = ?4, generation = generation + 1, refresh_claim = NULL,
       refresh_claimed_until = NULL`,
      grant.accessToken,
      grant.refreshToken,
      grant.expiresAt,
    )
    expect((await moving).progress).toMatchObject({ arrived: 1, failedAttempts: 0 })
    const { accounts } = await person.exportTokens()
    const isNewest = accounts.map(({ tokens }) => Redacted.value(tokens.refreshToken) === grant.refreshToken)
    expect(isNewest).toEqual([true])
  })

  it("that does not end in time leaves the person where they are, for another attempt", async () => {
    const person = await settled()
    await aimAt("shadow", [person.id])
    await move({ people: [person.id] })
    await claim(person, Date.now() + forever)
    await aimAt("live", [person.id])
    const id = await begin({ people: [person.id] })
    const from = { pass: 1, cursor: "", isImpatient: true }
    const page = takePage({ id, parameters: moveParameters({ people: [person.id] }) }, from).pipe(
      Effect.provideService(PageSettings, { lease: "a lease", concurrency: 1, claimWaitMs: 0, onAnswer: Effect.void }),
      Effect.provide(stepServices(bindings)),
    )
    expect(await Effect.runPromise(page)).toMatchObject({ taken: 0, failed: 1 })
    await cancel(id)
    expect(await positionOf(person.id)).toMatchObject({ stage: "shadow", reason: "refresh_under_way" })
    expect(await person.row("spotify")).toMatchObject({ holder: "database", fenced_until: null })
  })
})

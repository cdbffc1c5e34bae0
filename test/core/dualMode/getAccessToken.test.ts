import { evictDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { d1Outage, watchD1 } from "../../object/outage.ts"
import { simulator } from "../../object/person.ts"
import { lastingKey, PersonInMove } from "../../object/personInMove.ts"
import { clock } from "../../worker.ts"

afterEach(() => {
  clock.aheadMs = 0
  vi.restoreAllMocks()
})

const minute = 60_000

/** Somebody whose grant D1 holds, and of which the object keeps a copy. */
const copied = async (stage: string) => {
  const show = await simulator.createSource({ provider: "spotify", items: 1 })
  const person = (await new PersonInMove().follows(show)) as PersonInMove
  const grant = await person.hasInDatabase("spotify")
  await person.importGrant("spotify", grant)
  await person.isAt(stage)
  return { person, grant }
}

/** Somebody whose object took the account over as of epoch 2. */
const holding = async (stage = "live") => {
  const { person, grant } = await copied(stage)
  await person.switchTo("spotify", "object", 2)
  await person.takeOver("spotify", 2, [], stage === "live")
  await person.alarm()
  return { person, grant }
}

/** The access token in D1 has so long to live. */
const expiresIn = (person: PersonInMove, ms: number) =>
  env.DB.prepare("UPDATE user_accounts SET expires_at = ?2 WHERE user_id = ?1")
    .bind(person.id, Date.now() + ms)
    .run()

/** The objects cannot be reached from now on. */
const unreachable = () =>
  vi.spyOn(env.USERS, "get").mockImplementation(() => {
    throw Object.assign(new Error("the platform is moving the object"), { overloaded: true })
  })

const counted = async (operation: string, source: string, outcome: string) =>
  (await env.DB.prepare("SELECT count FROM token_operations WHERE operation = ?1 AND source = ?2 AND outcome = ?3")
    .bind(operation, source, outcome)
    .first<number>("count")) ?? 0

/** Runs something that is counted in D1 in the background, and waits until it is. */
const counts = async (what: readonly [string, string, string], run: () => Promise<unknown>) => {
  const before = await counted(...what)
  await run()
  await expect.poll(() => counted(...what)).toBe(before + 1)
}

describe("An access token comes from the object that holds the account", () => {
  it("without a query to D1", async () => {
    const { person, grant } = await holding()
    using d1 = watchD1()
    expect(await person.accessToken()).toEqual({
      source: "object",
      accessToken: grant.accessToken,
      expiresAt: grant.expiresAt,
    })
    expect(d1.queries()).toBe(0)
  })

  it("refreshed if it expires within 5 minutes, once for all who ask", async () => {
    const { person, grant } = await holding()
    await person.pollNow()
    clock.aheadMs = 56 * minute
    const answers = await Promise.all(Array.from({ length: 20 }, () => person.accessToken()))
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1)
    expect(answers[0]?.accessToken).not.toBe(grant.accessToken)
    expect(await person.tokenRequests()).toBe(1)
    // D1's mirror follows, and at once: an alarm for now is set for a moment later.
    expect((await person.status()).alarmAt).toBeLessThanOrEqual(Date.now() + clock.aheadMs + 1000)
    clock.aheadMs = 0
    await person.alarm()
    expect((await person.row("spotify"))?.access_token).toBe(answers[0]?.accessToken)
  })

  it("or is refused with the reason that the object has", async () => {
    const { person } = await holding()
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ReauthorizationRequired" })
    await person.removeToken("spotify")
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "AccountNotConnected" })
  })
})

describe("An access token comes from D1 while D1 holds the account", () => {
  it("as it is, and is counted", async () => {
    const { person, grant } = await copied("off")
    await counts(["read", "database", "ok"], async () => {
      expect(await person.accessToken()).toMatchObject({ source: "database", accessToken: grant.accessToken })
    })
    expect(await person.tokenRequests()).toBe(0)
  })

  it("refreshed by D1's side if it expires within 5 minutes; the copy follows", async () => {
    const { person, grant } = await copied("dual_write")
    const [before] = await person.fingerprints(false, lastingKey)
    await expiresIn(person, 1000)
    const answers = await Promise.all(Array.from({ length: 5 }, () => person.accessToken()))
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1)
    expect(answers[0]).toMatchObject({ source: "database" })
    expect(answers[0]?.accessToken).not.toBe(grant.accessToken)
    expect(await person.tokenRequests()).toBe(1)
    const [after] = await person.fingerprints(false, lastingKey)
    expect(after).toMatchObject({ isHolder: false })
    expect(after?.fingerprint).not.toBe(before?.fingerprint)
  })

  it("refreshed ahead of time while the one before it still works for whoever does not want to wait", async () => {
    const { person } = await copied("off")
    await expiresIn(person, 4 * minute)
    await person.accessToken()
    expect(await person.tokenRequests()).toBe(1)
    await person.accessToken()
    expect(await person.tokenRequests()).toBe(1)
  })

  it("also when the object cannot be reached", async () => {
    const { person, grant } = await copied("shadow")
    unreachable()
    expect(await person.accessToken()).toMatchObject({ source: "database", accessToken: grant.accessToken })
  })

  it("or not at all: nobody has connected the account, or D1 is down", async () => {
    await expect(new PersonInMove().accessToken()).rejects.toMatchObject({ _tag: "AccountNotConnected" })
    const { person } = await copied("off")
    await using _outage = await d1Outage("user_accounts")
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
  })
})

describe("At shadow", () => {
  it("what D1 answers is compared with the object's copy, and agreement is counted", async () => {
    const { person } = await copied("shadow")
    await counts(["compare", "database", "agrees"], () => person.accessToken())
  })

  it("a copy that differs is counted as a disagreement, and D1's token is the answer", async () => {
    const { person } = await copied("shadow")
    const other = await simulator.grant(person.id, "spotify")
    await person.importGrant("spotify", other, { generation: 2 })
    await counts(["compare", "database", "disagrees"], async () => {
      expect((await person.accessToken()).accessToken).toBe((await person.row("spotify"))?.access_token)
    })
  })

  it("a copy that is not there is one too", async () => {
    const { person } = await copied("shadow")
    await person.discardCopies()
    await counts(["compare", "database", "disagrees"], () => person.accessToken())
  })

  it("a copy that was on its way when the object was asked is looked at once more, and agrees", async () => {
    const { person } = await copied("shadow")
    const newer = await simulator.grant(person.id, "spotify")
    await env.DB.prepare(
      "UPDATE user_accounts SET access_token = ?2, refresh_token = ?3, expires_at = ?4, generation = 2 WHERE user_id = ?1",
    )
      .bind(person.id, newer.accessToken, newer.refreshToken, newer.expiresAt)
      .run()
    const prepare = env.DB.prepare.bind(env.DB)
    const amid = () => {
      vi.spyOn(env.DB, "prepare").mockImplementationOnce((sql) => {
        const statement = prepare(sql)
        const all = async (bound: D1PreparedStatement) => {
          await person.importGrant("spotify", newer, { generation: 2 })
          return bound.all()
        }
        return new Proxy(statement, {
          get: (target, name) =>
            name === "bind"
              ? (...values: Array<unknown>) => ({ all: () => all(target.bind(...values)) })
              : Reflect.get(target, name),
        })
      })
      return person.accessToken()
    }
    await counts(["compare", "database", "agrees"], amid)
  })

  it("alone: before it nothing is compared", async () => {
    const { person } = await copied("dual_write")
    await person.discardCopies()
    const before = await counted("compare", "database", "disagrees")
    await counts(["read", "database", "ok"], () => person.accessToken())
    expect(await counted("compare", "database", "disagrees")).toBe(before)
  })
})

describe("While the object cannot be reached", () => {
  it("D1's mirror answers at live", async () => {
    const { person, grant } = await holding("live")
    unreachable()
    await counts(["read", "mirror", "ok"], async () => {
      expect(await person.accessToken()).toMatchObject({ source: "mirror", accessToken: grant.accessToken })
    })
    expect(await person.tokenRequests()).toBe(0)
  })

  it("an access token that has expired is not given out, and nobody refreshes it", async () => {
    const { person } = await holding("live")
    await expiresIn(person, 20_000)
    unreachable()
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ObjectUnavailable", overloaded: true })
    expect(await person.tokenRequests()).toBe(0)
  })

  it.each(["rampdown", "complete"])("nothing answers at %s: what D1 may have left is not the newest", async (stage) => {
    const { person } = await holding(stage)
    unreachable()
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ObjectUnavailable" })
  })

  it("somebody who began in an object is told so", async () => {
    const person = new PersonInMove()
    await person.connects("spotify")
    unreachable()
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ObjectUnavailable" })
  })
})

describe("In the gap of a hand-over", () => {
  it("forward, what D1 had is given out as long as it works, and nobody refreshes", async () => {
    const { person, grant } = await copied("shadow")
    await person.switchTo("spotify", "object", 2)
    expect(await person.accessToken()).toMatchObject({ source: "mirror", accessToken: grant.accessToken })
    await expiresIn(person, 1000)
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ObjectUnavailable", retryable: true })
    expect(await person.tokenRequests()).toBe(0)
  })

  it("back, the mirror is, which has the newest", async () => {
    const { person } = await holding("live")
    await person.refreshTokens({ force: true })
    await person.handBack("spotify", 3)
    const answer = await person.accessToken()
    expect(answer).toMatchObject({ source: "mirror", accessToken: (await person.row("spotify"))?.access_token })
    expect(await person.tokenRequests()).toBe(1)
  })
})

describe("What an object answers is counted there", () => {
  it("by operation and outcome, through an eviction, and reaches D1 with its report alone", async () => {
    const { person } = await holding()
    await person.accessToken()
    await evictDurableObject(person.stub)
    await person.accessToken()
    await person.refreshTokens({ force: true })
    await person.connects("spotify")
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    await expect(person.accessToken()).rejects.toMatchObject({ _tag: "ReauthorizationRequired" })
    await person.wake()
    const reported = await env.DB.prepare("SELECT operations FROM durable_object_status WHERE user_id = ?1")
      .bind(person.id)
      .first<string>("operations")
    const operations: ReadonlyArray<Readonly<Record<string, unknown>>> = JSON.parse(reported ?? "[]")
    expect(operations.map(({ operation, outcome, count }) => [operation, outcome, count]).sort()).toEqual([
      ["read", "ReauthorizationRequired", 1],
      ["read", "ok", 2],
      ["refresh", "GrantRefused", 1],
      ["refresh", "ok", 1],
      ["write", "ok", 1],
    ])
    for (const { totalMs, slowestMs } of operations) expect(Number(totalMs)).toBeGreaterThanOrEqual(Number(slowestMs))
  })
})

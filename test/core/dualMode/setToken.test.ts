import { evictDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { d1Outage, watchD1 } from "../../object/outage.ts"
import { simulator } from "../../object/person.ts"
import { lastingKey, PersonInMove } from "../../object/personInMove.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

const somebody = async (items = 3) => {
  const show = await simulator.createSource({ provider: "spotify", items })
  const person = (await new PersonInMove().follows(show)) as PersonInMove
  return { person, show }
}

/** Somebody whose grant D1 holds, and of which the object keeps a copy. */
const copied = async () => {
  const { person, show } = await somebody()
  await person.importGrant("spotify", await person.hasInDatabase("spotify"))
  await person.isAt("shadow")
  return { person, show }
}

/** Somebody whose object took the account over as of epoch 2. */
const holding = async () => {
  const { person, show } = await copied()
  await person.switchTo("spotify", "object", 2)
  await person.takeOver("spotify", 2)
  return { person, show }
}

/** Tokens set so far that D1 took. */
const writesCounted = async () =>
  Number(
    await env.DB.prepare(
      "SELECT count FROM token_operations WHERE operation = 'write' AND source = 'database' AND outcome = 'ok'",
    ).first("count"),
  )

const newest = async (person: PersonInMove) => (await simulator.tokenState(person.id, "spotify")).newestRefreshToken

/** What the one holder has; fails when there is none, or two, or D1 and the object disagree about the epoch. */
const held = async (person: PersonInMove) => {
  const row = await person.row("spotify")
  const account = await person.account("spotify")
  const asked = { holder: account?.holder ?? "database", epoch: account?.epoch ?? 1 }
  expect({ holder: row?.holder, epoch: row?.epoch }).toEqual(asked)
  if (row?.holder === "database") return { holder: "database", refreshToken: row.refresh_token }
  const [exported] = await person.exportedRefreshTokens()
  return { holder: "object", refreshToken: exported }
}

describe("A token that a person sets", () => {
  it("stays with the object that holds the account, without a query to D1", async () => {
    const { person } = await holding()
    await person.alarm()
    using d1 = watchD1()
    await person.connects("spotify")
    expect(d1.queries()).toBe(0)
    expect(await held(person)).toEqual({ holder: "object", refreshToken: await newest(person) })
  })

  it("of somebody new makes the object the holder, as of epoch 1, and D1 knows before the object begins", async () => {
    const { person } = await somebody()
    const setToken = vi.spyOn(env.DB, "prepare")
    await person.connects("spotify")
    expect(setToken.mock.calls.some(([sql]) => sql.includes("'object'"))).toBe(true)
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: 1, access_token: null })
    expect(await held(person)).toEqual({ holder: "object", refreshToken: await newest(person) })
    await person.pollNow()
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: 1, state: "connected", is_active: 1 })
  })

  it("goes to D1 while D1 holds the account; the object's copy follows", async () => {
    const { person } = await copied()
    const [before] = await person.fingerprints(false, lastingKey)
    const counted = await writesCounted()
    expect(await person.connects("spotify")).toEqual({ state: "connected", generation: 2 })
    expect(await writesCounted()).toBe(counted + 1)
    expect(await held(person)).toEqual({ holder: "database", refreshToken: await newest(person) })
    const [after] = await person.fingerprints(false, lastingKey)
    expect(after).toMatchObject({ isHolder: false, epoch: 1 })
    expect(after?.fingerprint).not.toBe(before?.fingerprint)
  })

  it("for a second account goes where D1 holds the first", async () => {
    const { person } = await copied()
    await person.connects("youtube")
    expect(await person.row("youtube")).toMatchObject({ holder: "database", epoch: 1, generation: 1, is_active: 1 })
    expect((await person.row("youtube"))?.refresh_token).not.toBeNull()
    expect(await person.account("youtube")).toMatchObject({ holder: "database", epoch: 1 })
    const { person: moved } = await holding()
    await moved.connects("youtube")
    expect(await moved.row("youtube")).toMatchObject({ holder: "object", epoch: 1 })
  })

  it("in the gap of a hand-over forward finishes it: the object goes on where the legacy poller stopped", async () => {
    const { person, show } = await copied()
    const items = await simulator.items(show)
    await person.hasPolled(show, items)
    await person.switchTo("spotify", "object", 2)
    const published = await simulator.publish(show, 60)
    await person.connects("spotify")
    expect(await held(person)).toEqual({ holder: "object", refreshToken: await newest(person) })
    // The migrator comes too late, and changes nothing.
    expect(await person.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "already_held" }] })
    await person.pollNow()
    expect(new Set(await person.newIds())).toEqual(new Set(published.map(({ id }) => id)))
    expect(await held(person)).toEqual({ holder: "object", refreshToken: await newest(person) })
  })

  it("in the gap of a hand-over back finishes it: D1 takes token and right, and the switch that comes late changes nothing", async () => {
    const { person } = await holding()
    const handed = await person.handBack("spotify", 3)
    await evictDurableObject(person.stub)
    await person.connects("spotify")
    expect(await held(person)).toEqual({ holder: "database", refreshToken: await newest(person) })
    await person.switchBack(handed)
    expect(await held(person)).toEqual({ holder: "database", refreshToken: await newest(person) })
    expect(await person.account("spotify")).toMatchObject({ holder: "database", epoch: 3 })
  })

  it.each(["a take-over", "a hand-over back"])(
    "at the same moment as %s ends with one holder and that token",
    async (what) => {
      for (let round = 0; round < 8; round += 1) {
        const { person } = what === "a take-over" ? await copied() : await holding()
        const step = async () => {
          if (what === "a take-over") {
            if (await person.switchForward()) await person.takeOver("spotify", 2)
          } else await person.switchBack(await person.handBack("spotify", 3))
        }
        const setting = person.connects("spotify")
        for (let turn = 0; turn < round; turn += 1) await env.DB.prepare("SELECT 1").run()
        await Promise.all([setting, step()])
        expect((await held(person)).refreshToken).toBe(await newest(person))
      }
    },
  )

  it("of somebody of whom D1 knows nothing any more is held as of the epoch that the object knows of", async () => {
    const { person } = await holding()
    await person.handBack("spotify", 3)
    await env.DB.prepare("DELETE FROM user_accounts WHERE user_id = ?1").bind(person.id).run()
    await person.connects("spotify")
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: 3 })
    expect(await held(person)).toEqual({ holder: "object", refreshToken: await newest(person) })
  })

  it("of somebody new, set twice at once, has one holder", async () => {
    const { person } = await somebody()
    await Promise.all([person.connects("spotify"), person.connects("spotify"), person.connects("spotify")])
    expect((await held(person)).holder).toBe("object")
  })

  it("of somebody new goes to D1 when another system has made the account D1's in between", async () => {
    const { person } = await somebody()
    const prepare = env.DB.prepare.bind(env.DB)
    const makeRow = `INSERT INTO user_accounts (user_id, provider, updated_at) VALUES ('${person.id}', 'spotify', 1)`
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      const statement = prepare(sql)
      if (!sql.includes("0, 'disconnected', ?3, 'object'")) return statement
      vi.restoreAllMocks()
      // Both in one transaction: the other system's row is there when this statement runs.
      const all = async (bound: D1PreparedStatement) => (await env.DB.batch([prepare(makeRow), bound]))[1]
      return new Proxy(statement, {
        get: (target, name) =>
          name === "bind"
            ? (...values: Array<unknown>) => ({ all: () => all(target.bind(...values)) })
            : Reflect.get(target, name),
      })
    })
    await person.connects("spotify")
    expect(await held(person)).toEqual({ holder: "database", refreshToken: await newest(person) })
  })

  it("is refused while D1 cannot say who holds the account, and taken by an object that holds it", async () => {
    const { person: moved } = await holding()
    const { person } = await copied()
    await moved.alarm()
    await using _outage = await d1Outage("user_accounts")
    await expect(person.connects("spotify")).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    expect(await moved.connects("spotify")).toMatchObject({ state: "connected" })
  })
})

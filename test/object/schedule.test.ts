import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../worker.ts"
import { hour, makeSources, minute, settled } from "./following.ts"
import { Person, simulator } from "./person.ts"

const day = 24 * hour

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const somebody = async () => {
  const [show = "", channel = ""] = await Promise.all([
    simulator.createSource({ provider: "spotify", items: 3 }),
    simulator.createSource({ provider: "youtube", items: 3 }),
  ])
  return { show, channel, person: await settled([show, channel], "spotify", "youtube") }
}

/** Puts the alarm in order without doing anything that is due. */
const rearm = async (person: Person) => {
  await person.refreshTokens()
  return person.alarmAt()
}

describe("The one alarm", () => {
  it.each([
    [
      "a source of which the library tells nothing",
      "UPDATE subscriptions SET is_count_unreliable = 1, due_at = ? WHERE provider = 'spotify'",
    ],
    ["a failing source's retry", "UPDATE subscriptions SET failures = 1, due_at = ? WHERE provider = 'youtube'"],
    ["a failed pass's retry", "UPDATE accounts SET retry_at = ? WHERE provider = 'spotify'"],
    ["a waiting item", "UPDATE items SET state = 'waiting', recheck_at = ? WHERE provider = 'youtube'"],
    ["a failed delivery's retry", "UPDATE person SET is_report_due = 1, delivery_retry_at = ?"],
  ])("is %s, where that is the earliest that is due", async (_what, statement) => {
    const { person } = await somebody()
    const before = await person.alarmAt()
    const at = Date.now() + 10 * minute
    expect(before).toBeGreaterThan(at)
    await person.sql(statement, at)
    expect(await rearm(person)).toBe(at)
  })

  it("is the end of a provider's hold, and not sooner, where that keeps back what is due", async () => {
    const { person } = await somebody()
    const at = Date.now() + 10 * minute
    await person.becomesDue("spotify")
    await person.sql("UPDATE accounts SET held_until = ? WHERE provider = 'spotify'", at)
    expect(await rearm(person)).toBe(at)
  })

  it("is the report to D1 where nothing else comes before it, and a grant's exercise where that does", async () => {
    const { person } = await somebody()
    await person.sql("UPDATE accounts SET held_until = ?", Date.now() + 60 * day)
    const heartbeatAt = Number((await person.sql("SELECT reported_at FROM person"))[0]?.["reported_at"])
    expect(await rearm(person)).toBe(heartbeatAt + 6 * hour)
    await person.sql("UPDATE accounts SET held_until = NULL, retry_at = ?", Date.now() + 60 * day)
    const at = Date.now() + 10 * minute
    await person.sql("UPDATE tokens SET exercised_at = ? WHERE provider = 'youtube'", at - 30 * day)
    expect(await rearm(person)).toBe(at)
  })

  it("is a moment from now where something is overdue, and once only", async () => {
    const { person } = await somebody()
    await person.becomesDue("spotify")
    const before = Date.now()
    const at = (await rearm(person)) ?? 0
    // Set for at once from inside an alarm, it has been late by tens of seconds (cloudflare/workerd#6866).
    expect(at).toBeGreaterThan(before)
    expect(at).toBeLessThanOrEqual(Date.now() + 50)
    const asked = () => simulator.counts({ person: person.id, kind: "library" })
    await expect.poll(asked).toMatchObject({ byProvider: { spotify: 1 } })
    await expect.poll(() => person.alarmAt()).toBeGreaterThan(Date.now() + 1000)
    expect(await asked()).toMatchObject({ byProvider: { spotify: 1 } })
  })
})

describe("The alarm is set again", () => {
  it.each([
    ["the provider answers 500", { type: "status", status: 500 }],
    ["the provider answers nonsense", { type: "html" }],
    ["the connection is cut", { type: "reset" }],
    ["the provider asks for silence", { type: "rate_limited", retryAfterSeconds: 3600 }],
  ] as const)("after a pass in which %s", async (_what, fault) => {
    const { person } = await somebody()
    await simulator.setFaults([{ match: { person: person.id }, fault }])
    clock.aheadMs = 7 * hour
    await person.alarm()
    expect((await person.status()).accounts.every(({ state }) => state === "connected")).toBe(true)
    expect(await person.alarmAt()).toBeGreaterThan(Date.now() + clock.aheadMs)
  })

  it("after one source broke something, which costs neither the others nor D1 anything", async () => {
    const [broken = "", other = ""] = await makeSources("spotify", 2)
    const person = await settled([broken, other], "spotify")
    await person.sql(`CREATE TRIGGER broken BEFORE INSERT ON items WHEN NEW.source_id = '${broken}'
      BEGIN SELECT RAISE(ABORT, 'a broken row'); END`)
    await simulator.publish(broken, 1)
    const [found] = await simulator.publish(other, 1)
    await person.becomesDue()
    await person.alarm()
    expect(await person.newIds()).toEqual([found?.id])
    const { failing } = await person.status()
    expect(failing).toMatchObject([{ sourceId: broken, failures: 1, reason: "pollen itself failed; its log says why" }])
    expect(await person.alarmAt()).toBe(failing[0]?.dueAt)
    await person.sql("DROP TRIGGER broken")
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    expect((await person.status()).failing).toEqual([])
  })

  it("after a whole pass broke, which costs the other account nothing", async () => {
    const { show, channel, person } = await somebody()
    await person.sql(`CREATE TRIGGER broken BEFORE UPDATE ON subscriptions WHEN NEW.provider = 'spotify'
      BEGIN SELECT RAISE(ABORT, 'a broken row'); END`)
    await simulator.publish(show, 1)
    const [found] = await simulator.publish(channel, 1)
    clock.aheadMs = 25 * hour
    await person.alarm()
    expect(await person.newIds()).toEqual([found?.id])
    const { accounts } = await person.status()
    const [broken, whole] = [accounts.find(({ provider }) => provider === "spotify"), accounts.at(-1)]
    expect(broken).toMatchObject({ failures: 1, state: "connected" })
    expect(whole).toMatchObject({ provider: "youtube", failures: 0, retryAt: null })
    expect(await person.alarmAt()).toBe(broken?.retryAt)
    await person.sql("DROP TRIGGER broken")
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
  })

  it("after the handler itself broke", async () => {
    const { show, person } = await somebody()
    const [found] = await simulator.publish(show, 1)
    await person.sql("ALTER TABLE polls RENAME TO polls_away")
    clock.aheadMs = 25 * hour
    await person.alarm()
    // What the pass had found until then is in D1 all the same.
    expect(await person.newIds()).toEqual([found?.id])
    expect(await person.alarmAt()).toBeGreaterThan(Date.now() + 30_000)
    await person.sql("ALTER TABLE polls_away RENAME TO polls")
    expect(await person.alarm()).toBe(true)
    expect((await person.status()).polls).not.toEqual([])
  })

  it("after not even what is due could be read", async () => {
    const { person } = await somebody()
    await person.sql("ALTER TABLE accounts RENAME TO accounts_away")
    expect(await person.alarm()).toBe(true)
    expect(await person.alarmAt()).toBeGreaterThan(Date.now() + 30_000)
    expect(await person.alarmAt()).toBeLessThanOrEqual(Date.now() + minute)
    await person.sql("ALTER TABLE accounts_away RENAME TO accounts")
    await person.alarm()
    expect(await person.alarmAt()).toBeGreaterThan(Date.now() + minute)
  })

  it("whenever an object starts without one", async () => {
    const { person } = await somebody()
    const before = await person.alarmAt()
    await person.losesItsAlarm()
    expect(await person.alarmAt()).toBe(before)
  })
})

describe("There is no alarm at all", () => {
  it("for somebody who never connected an account", async () => {
    const person = new Person()
    await person.pollNow()
    expect(await person.status()).toMatchObject({ alarmAt: null })
    expect(await person.wake()).toEqual({ alarmAt: null, overdueMs: 0 })
  })

  it("once the last account is removed and D1 knows", async () => {
    const { person } = await somebody()
    await person.removeToken("spotify")
    expect(await person.alarmAt()).not.toBeNull()
    await person.removeToken("youtube")
    await expect.poll(() => person.alarmAt()).toBeNull()
    expect(await person.status()).toMatchObject({ undelivered: 0 })
    await simulator.clearLedger(person.id)
    clock.aheadMs = 60 * day
    expect(await person.wake()).toEqual({ alarmAt: null, overdueMs: 0 })
    expect(await person.alarm()).toBe(false)
    expect(await simulator.counts({ person: person.id })).toMatchObject({ total: 0 })
  })

  it("once the last grant has been refused for a day and D1 knows, until it is set again", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await simulator.revoke(person.id, "spotify")
    await person.pollNow()
    for (let tries = 0; tries < 2; tries += 1) {
      clock.aheadMs = ((await person.alarmAt()) ?? 0) - Date.now() + 1000
      await person.alarm()
    }
    expect(await person.status()).toMatchObject({ alarmAt: null, accounts: [{ state: "reauthorization_required" }] })
    await person.connects("spotify")
    expect(await person.alarmAt()).not.toBeNull()
  })
})

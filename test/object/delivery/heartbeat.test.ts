import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources, settled } from "../following.ts"
import { watchD1 } from "../outage.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  vi.restoreAllMocks()
  await simulator.clearFaults()
})

interface Row {
  readonly reported_at: number
  readonly expected_by: number | null
  readonly next_due_at: number | null
  readonly sources: number
  readonly failing_sources: number
  readonly accounts: string
}

const heartbeatOf = async (person: Person) => {
  const query = env.DB.prepare("SELECT * FROM durable_object_status WHERE user_id = ?1").bind(person.id)
  const row = await query.first<Row>()
  if (row === null) throw new Error("D1 has never heard of this object")
  return row
}

/** Somebody of whom the last heartbeat is old enough to be told from the next. */
const somebody = async (count = 2) => {
  const shows = await makeSources("spotify", count)
  const person = await settled(shows, "spotify")
  clock.aheadMs += 4 * hour
  return { shows, person, before: await heartbeatOf(person) }
}

describe("An object sends a heartbeat to D1", () => {
  it("with a delivery that it makes anyway: what it has, when its alarm goes off, when it is heard from again", async () => {
    const { shows, person, before } = await somebody()
    await simulator.publish(shows[0] ?? "", 1)
    await person.pollNow()
    const after = await heartbeatOf(person)
    expect(after.reported_at).toBeGreaterThan(before.reported_at)
    expect(after).toMatchObject({ sources: 2, failing_sources: 0, next_due_at: await person.alarmAt() })
    expect(after.expected_by).toBe(after.reported_at + 6.5 * hour)
    expect(JSON.parse(after.accounts)).toEqual([{ provider: "spotify", state: "connected", reason: null }])
  })

  it("with items no more than once in three hours: until then, a delivery is a row less", async () => {
    const { shows, person } = await somebody()
    await simulator.publish(shows[0] ?? "", 1)
    await person.pollNow()
    const { reported_at: reportedAt } = await heartbeatOf(person)
    clock.aheadMs += 2 * hour
    await simulator.publish(shows[0] ?? "", 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    expect(await heartbeatOf(person)).toMatchObject({ reported_at: reportedAt })
    clock.aheadMs += 2 * hour
    await simulator.publish(shows[0] ?? "", 1)
    await person.pollNow()
    expect((await heartbeatOf(person)).reported_at).toBeGreaterThan(reportedAt)
  })

  it("with the last of several batches, also where the rows come out even", async () => {
    const { shows, person, before } = await somebody()
    await simulator.publish(shows[0] ?? "", 400)
    using d1 = watchD1()
    await person.pollNow()
    expect(d1.batches()).toBe(2)
    expect((await heartbeatOf(person)).reported_at).toBeGreaterThan(before.reported_at)
  })

  it("when a source begins to fail, and when it works again", async () => {
    const { shows, person } = await somebody()
    const [failing = ""] = shows
    await simulator.publish(failing, 1)
    const faults = await simulator.setFaults([
      { match: { person: person.id, path: failing }, fault: { type: "status", status: 500 } },
    ])
    await person.pollNow()
    expect(await heartbeatOf(person)).toMatchObject({ failing_sources: 1 })
    using d1 = watchD1()
    await person.pollNow()
    expect(d1.queries()).toBe(0)
    await simulator.clearFaults(faults)
    await person.pollNow()
    expect(await heartbeatOf(person)).toMatchObject({ failing_sources: 0 })
  })

  it("when a source is gone, and when one works again that has nothing new", async () => {
    const { shows, person } = await somebody()
    const [gone = ""] = shows
    const faults = await simulator.setFaults([
      { match: { person: person.id, path: gone }, fault: { type: "status", status: 404 } },
    ])
    await person.sql("UPDATE subscriptions SET verify_at = 0 WHERE source_id = ?", gone)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    expect(await heartbeatOf(person)).toMatchObject({ failing_sources: 1 })
    await simulator.clearFaults(faults)
    await person.sql("UPDATE subscriptions SET verify_at = 0 WHERE source_id = ?", gone)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    expect(await heartbeatOf(person)).toMatchObject({ failing_sources: 0 })
  })

  it("when an account's state changes, and expects nothing of an object that has nothing to do", async () => {
    const { person } = await somebody()
    await simulator.revoke(person.id, "spotify")
    await person.pollNow()
    const refused = await heartbeatOf(person)
    expect(JSON.parse(refused.accounts)).toMatchObject([{ state: "reauthorization_required" }])
    // The grant is tried again later, and D1 hears of that only if it works.
    expect(refused).toMatchObject({ expected_by: null, next_due_at: await person.alarmAt() })
    await person.connects("spotify")
    await person.pollNow()
    expect(JSON.parse((await heartbeatOf(person)).accounts)).toMatchObject([{ state: "connected" }])
    await person.removeToken("spotify")
    await person.alarm()
    expect(await person.alarmAt()).toBeNull()
    expect(await heartbeatOf(person)).toMatchObject({ expected_by: null, sources: 0 })
  })

  it("once more when its state changes while a heartbeat is under way", async () => {
    const { shows, person } = await somebody()
    const [failing = "", other = ""] = shows
    await simulator.publish(other, 1)
    const batch = env.DB.batch.bind(env.DB)
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      const results = await batch(statements)
      await person.sql("UPDATE subscriptions SET failures = 1, reason = 'it fails' WHERE source_id = ?", failing)
      return results
    })
    await person.pollNow()
    await person.alarm()
    expect(await heartbeatOf(person)).toMatchObject({ failing_sources: 1 })
  })

  it("and is otherwise heard from once in 6 hours, whatever it polls in between", async () => {
    const shows = await makeSources("spotify", 3, 30)
    const person = await settled(shows, "spotify")
    const started = Date.now()
    using d1 = watchD1()
    let alarms = 0
    while (clock.aheadMs < 24 * hour) {
      clock.aheadMs = ((await person.alarmAt()) ?? 0) - Date.now() + 1000
      await person.alarm()
      alarms += 1
    }
    expect(d1.batches()).toBe(4)
    expect(alarms).toBeGreaterThan(4)
    expect((await heartbeatOf(person)).reported_at).toBeGreaterThan(started + 24 * hour)
  })
})

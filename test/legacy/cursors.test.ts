import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { aimAt, move } from "../migration/driver.ts"
import { hour } from "../object/following.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { clock } from "../worker.ts"
import { program, withoutSeveral } from "./people.ts"

const simulator = withoutSeveral
const poll = () => Effect.runPromise(program({ at: simulator }))

afterEach(() => {
  clock.aheadMs = 0
})

/** Somebody whom the legacy poller has polled, and who follows one source. */
const polled = async (provider: "spotify" | "youtube") => {
  const person = new PersonInMove()
  const source = await simulator.createSource({ provider, items: 5 })
  await simulator.subscribe(person.id, source)
  await person.hasInDatabase(provider)
  await poll()
  return { person, source }
}

const goTo = async (person: PersonInMove, stage: "live" | "shadow") => {
  await aimAt(stage, [person.id])
  await move({ people: [person.id] })
}

const cursorOf = (person: PersonInMove) =>
  env.DB.prepare("SELECT item_count AS itemCount FROM user_subscriptions WHERE user_id = ?1")
    .bind(person.id)
    .first<number>("itemCount")

describe("An item that waits until it can be played, below more than twenty newer ones", () => {
  it.each([
    ["spotify", "unplayable"],
    ["youtube", "upcoming"],
  ] as const)("comes to the feed after the move, too: %s, %s", async (provider, kind) => {
    const { person, source } = await polled(provider)
    const [waiting] = await simulator.publish(source, [{ kind }])
    await simulator.publish(source, 30)
    await poll()
    await goTo(person, "live")
    await simulator.changeItem(waiting?.id ?? "", { kind: "normal" })
    clock.aheadMs = 2 * hour
    await person.alarm()
    expect(await person.newIds()).toContain(waiting?.id)
  })

  it("comes to the feed after the way back, too", async () => {
    const { person, source } = await polled("spotify")
    await goTo(person, "live")
    clock.aheadMs = hour
    const [waiting] = await simulator.publish(source, [{ kind: "unplayable" }])
    await person.alarm()
    await goTo(person, "shadow")
    clock.aheadMs = 0
    expect(await cursorOf(person)).toBe(5)
    await simulator.changeItem(waiting?.id ?? "", { kind: "normal" })
    await poll()
    expect(await person.newIds()).toContain(waiting?.id)
  })
})

describe("A count that cannot be relied on", () => {
  const unreliable = "UPDATE user_subscriptions SET item_count = -1 WHERE user_id = ?1"

  it("is not relied on after the move either", async () => {
    const { person } = await polled("spotify")
    await env.DB.prepare(unreliable).bind(person.id).run()
    await goTo(person, "live")
    await person.pollNow()
    expect(await person.sql("SELECT is_count_unreliable AS isUnreliable FROM subscriptions")).toEqual([
      { isUnreliable: 1 },
    ])
  })

  it("is not relied on after the way back", async () => {
    const { person } = await polled("spotify")
    await goTo(person, "live")
    await person.pollNow()
    await person.sql("UPDATE subscriptions SET is_count_unreliable = 1")
    await goTo(person, "shadow")
    expect(await cursorOf(person)).toBe(-1)
  })
})

import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { call } from "../../../src/rpc/call.ts"
import { PollNow } from "../../../src/rpc/methods.ts"
import { clock, UserSubscriptionManager } from "../../worker.ts"
import { makeSources, minute, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

/** With the setting of a deployment: that of the other tests lets an object be asked at any time. */
const deployed = { ...env, POLL_REQUEST_INTERVAL: "1 minute" }

const pollTimes = (person: Person, times: number) =>
  runInDurableObject(person.stub, async (_instance, state) => {
    const object = new UserSubscriptionManager(state, deployed)
    const poll = call(PollNow, (wire) => object.pollNow(wire))
    const answers = []
    for (let done = 0; done < times; done += 1) answers.push(await Effect.runPromise(poll({ userId: person.id })))
    return answers
  })

describe("A requested poll", () => {
  it("within the interval of the one before asks the provider nothing, and says when a poll is possible", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    clock.aheadMs = 2 * minute
    await simulator.publish(show, 1)
    const before = Date.now() + clock.aheadMs
    const [first, ...others] = await pollTimes(person, 20)
    expect(first).toMatchObject({ accounts: [{ outcome: "polled" }], delivered: 1 })
    for (const { accounts } of others) {
      expect(accounts).toMatchObject([{ provider: "spotify", outcome: "too_soon", sources: 1, asked: 0, requests: 0 }])
      expect(accounts[0]?.retryAt).toBeGreaterThanOrEqual(before + minute)
      expect(accounts[0]?.retryAt).toBeLessThanOrEqual(Date.now() + clock.aheadMs + minute)
    }
    expect(await simulator.ledger({ person: person.id, kind: "library" })).toHaveLength(1)
    clock.aheadMs += minute
    expect(await pollTimes(person, 1)).toMatchObject([{ accounts: [{ outcome: "polled" }] }])
  })

  it("of one provider keeps back none of the other", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const [channel = ""] = await makeSources("youtube", 1)
    const person = await settled([show, channel], "spotify")
    await person.connects("youtube")
    const [answer] = await pollTimes(person, 1)
    expect(answer?.accounts).toMatchObject([
      { provider: "spotify", outcome: "too_soon" },
      { provider: "youtube", outcome: "polled" },
    ])
  })

  it("joins the one under way, and is not kept back by the alarm's", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    clock.aheadMs = 2 * minute
    await person.becomesDue()
    await person.wake()
    await person.alarm()
    const gate = await simulator.hold({ person: person.id, kind: "library" }, { times: 1 })
    const answers = await runInDurableObject(person.stub, async (_instance, state) => {
      const object = new UserSubscriptionManager(state, deployed)
      const poll = call(PollNow, (wire) => object.pollNow(wire))
      const first = Effect.runPromise(poll({ userId: person.id }))
      await simulator.waitForHeld(gate)
      const second = Effect.runPromise(poll({ userId: person.id }))
      await simulator.release(gate)
      return await Promise.all([first, second])
    })
    expect(answers).toMatchObject([{ accounts: [{ outcome: "polled" }] }, { accounts: [{ outcome: "polled" }] }])
  })

  it("that could ask nothing counts for nothing", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    clock.aheadMs = 2 * minute
    const fault = { type: "rate_limited", retryAfterSeconds: 7200 } as const
    await simulator.setFaults([{ match: { person: person.id, kind: "library" }, fault, times: 1 }])
    const outcomes = (await pollTimes(person, 2)).map(({ accounts }) => accounts[0]?.outcome)
    expect(outcomes).toEqual(["rate_limited", "too_soon"])
    clock.aheadMs += minute
    const later = (await pollTimes(person, 2)).map(({ accounts }) => accounts[0]?.outcome)
    expect(later).toEqual(["rate_limited", "rate_limited"])
  })
})

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import { GetStatus } from "../../src/rpc/methods.ts"
import { makeSources, settled } from "./following.ts"
import { Person, simulator } from "./person.ts"

/** The object as the platform wakes it for an alarm: by its id, which does not tell the name that it was made of. */
const withoutName = async (person: Person) => {
  await abortAllDurableObjects()
  const stub = env.USERS.get(env.USERS.idFromString(person.stub.id.toString()))
  expect(await runInDurableObject(stub, (_instance, { id }) => id.name)).toBeUndefined()
  return stub
}

describe("An object that the platform wakes without its name", () => {
  it("is that of the person who was enrolled: it delivers to them by their own grant, and answers nobody else", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    const published = (await simulator.publish(show, 1)).map(({ id }) => id)
    await person.becomesDue()
    const stub = await withoutName(person)
    await runDurableObjectAlarm(stub)
    expect(await person.newIds()).toEqual(published)
    const ask = (userId: UserId) => call(GetStatus, (wire) => stub.getStatus(wire))({ userId })
    expect(await Effect.runPromise(ask(person.id))).toMatchObject({
      userId: person.id,
      accounts: [{ state: "connected" }],
    })
    expect(await Effect.runPromise(Effect.flip(ask(UserId.make("somebody-else"))))).toMatchObject({
      _tag: "InvalidRequest",
      issues: [{ path: "userId" }],
    })
  })

  it("is nobody's where nobody was enrolled: it answers nobody, and asks nothing of anybody", async () => {
    const person = new Person()
    const stub = await withoutName(person)
    const ask = call(GetStatus, (wire) => stub.getStatus(wire))({ userId: person.id })
    expect(await Effect.runPromise(Effect.flip(ask))).toMatchObject({ _tag: "InvalidRequest" })
    expect(await runDurableObjectAlarm(stub)).toBe(false)
  })
})

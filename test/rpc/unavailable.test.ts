import { abortAllDurableObjects } from "cloudflare:test"
import { exports } from "cloudflare:workers"
import { Clock, Duration, Effect, Exit, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ObjectUnavailable } from "../../src/domain/error.ts"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import { contract } from "../../src/rpc/contract.ts"
import { forward } from "../../src/rpc/forward.ts"
import { Person, simulator } from "../object/person.ts"

const userId = UserId.make("somebody")
const options = { payload: Schema.Struct({ userId: UserId }), success: Schema.Int, error: Schema.Never }
const Repeatable = contract("repeatable", { ...options, idempotent: true })
const Once = contract("once", { ...options, idempotent: false })

const thrown = (properties: object) => Object.assign(new Error("internal error; reference = abc"), properties)

/** Runs without waiting; the waits that were wanted come back, in milliseconds. */
const hurried = async <A, E>(effect: Effect.Effect<A, E>) => {
  const waits: Array<number> = []
  const live = Clock.Clock.defaultValue()
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => live.currentTimeMillisUnsafe(),
    currentTimeMillis: live.currentTimeMillis,
    currentTimeNanosUnsafe: () => live.currentTimeNanosUnsafe(),
    currentTimeNanos: live.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: live.monotonicTimeNanos,
    sleep: (duration) => Effect.sync(() => void waits.push(Duration.toMillis(duration))),
  }
  const exit = await Effect.runPromiseExit(Effect.provideService(effect, Clock.Clock, clock))
  return { exit, waits }
}

/** An object that fails as told, attempt by attempt, and answers from then on. */
const failing = (...failures: ReadonlyArray<object>) => {
  let attempts = 0
  return {
    attempts: () => attempts,
    invoke:
      <Name extends string>(method: {
        readonly name: Name
        readonly encodeExit: (exit: Exit.Exit<number>) => string
      }) =>
      async () => {
        const failure = failures[attempts]
        attempts += 1
        if (failure !== undefined) throw thrown(failure)
        return { method: method.name, exit: method.encodeExit(Exit.succeed(attempts)) }
      },
  }
}

const retryable = { retryable: true }
const broken = { retryable: false, overloaded: false }

describe("What the platform throws is ObjectUnavailable", () => {
  it.each([
    [retryable, { retryable: true, overloaded: false }],
    [{ overloaded: true }, { retryable: false, overloaded: true }],
    [
      { retryable: true, overloaded: true },
      { retryable: true, overloaded: true },
    ],
    [{}, { retryable: false, overloaded: false }],
    [{ retryable: "yes" }, { retryable: false, overloaded: false }],
  ])("%o is told as the platform said", async (properties, told) => {
    const object = failing(properties, properties, properties, properties)
    const { exit } = await hurried(Effect.flip(call(Once, object.invoke(Once))({ userId })))
    if (!Exit.isSuccess(exit)) throw new Error("not an expected failure")
    expect(exit.value).toBeInstanceOf(ObjectUnavailable)
    expect(exit.value).toMatchObject({ method: "once", ...told })
    expect(String(exit.value) + JSON.stringify(exit.value)).not.toContain("reference = abc")
  })
})

describe("A call is tried again", () => {
  it("when the platform says it may be and the method is idempotent, after a wait that differs", async () => {
    const waited: Array<number> = []
    for (let time = 0; time < 3; time++) {
      const { exit, waits } = await hurried(call(Repeatable, failing(retryable).invoke(Repeatable))({ userId }))
      expect(exit).toEqual(Exit.succeed(2))
      expect(waits).toHaveLength(1)
      waited.push(...waits)
    }
    expect(waited.every((ms) => ms >= 50 && ms <= 150)).toBe(true)
    expect(new Set(waited).size).toBeGreaterThan(1)
  })

  it("once and no more: in an outage of a second, an object gets two calls of each of 20 callers, and not four", async () => {
    const callers = 20
    const object = failing(...Array.from({ length: 100 }, () => retryable))
    await Promise.all(
      Array.from({ length: callers }, () => hurried(call(Repeatable, object.invoke(Repeatable))({ userId }))),
    )
    expect(object.attempts()).toBe(2 * callers)
  })

  it.each([
    ["never when the method is not idempotent", Once, retryable],
    ["never when the object is overloaded", Repeatable, { retryable: true, overloaded: true }],
    ["never when the platform does not say that it may be", Repeatable, broken],
  ] as const)("%s", async (_promise, method, failure) => {
    const object = failing(failure, failure)
    const { exit, waits } = await hurried(call(method, object.invoke<string>(method))({ userId }))
    expect(Exit.isFailure(exit)).toBe(true)
    expect(object.attempts()).toBe(1)
    expect(waits).toEqual([])
  })

  it("by a new stub each time, since one that has thrown is broken", async () => {
    const stubs: Array<number> = []
    let made = 0
    const { exit } = await hurried(
      forward(Repeatable, { userId }, () => {
        made += 1
        const stub = made
        stubs.push(stub)
        return stub < 2
          ? Promise.reject(thrown(retryable))
          : Promise.resolve({ method: "repeatable", exit: Repeatable.encodeExit(Exit.succeed(stub)) })
      }),
    )
    expect(stubs).toEqual([1, 2])
    expect(Exit.isSuccess(exit)).toBe(true)
  })

  it("by the entrypoint alone: its own caller sees an answer, and does not multiply the attempts", async () => {
    const object = failing(...Array.from({ length: 40 }, () => retryable))
    const entrypoint = () => Effect.runPromise(forward(Repeatable, { userId }, object.invoke(Repeatable)))
    const { exit } = await hurried(Effect.flip(call(Repeatable, entrypoint)({ userId })))
    expect(exit).toMatchObject({ _tag: "Success", value: { _tag: "ObjectUnavailable", retryable: true } })
    expect(object.attempts()).toBe(2)
  })
})

describe("A reply", () => {
  it("is disposed once it has been read", async () => {
    let disposed = 0
    const invoke = async () => ({
      method: "repeatable" as const,
      exit: Repeatable.encodeExit(Exit.succeed(1)),
      [Symbol.dispose]: () => {
        disposed += 1
      },
    })
    expect(await Effect.runPromise(call(Repeatable, invoke)({ userId }))).toBe(1)
    expect(disposed).toBe(1)
  })
})

describe("An object that is torn down in the middle of a call", () => {
  it("is ObjectUnavailable to the caller, and works again at the next call", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const person = await new Person().follows(show)
    const gate = await simulator.hold({ person: person.id, kind: "library" })
    await person.connects("spotify")
    const poll = person.pollNow().then(
      () => undefined,
      (error: unknown) => error,
    )
    await simulator.waitForHeld(gate)
    await abortAllDurableObjects()
    await simulator.release(gate)
    expect(await poll).toMatchObject({ _tag: "ObjectUnavailable", method: "pollNow", overloaded: false })
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    const reply = await exports.GatewayEntrypoint.getStatus({ userId: person.id })
    expect(reply.method).toBe("getStatus")
  })
})

import { env, exports } from "cloudflare:workers"
import { Arbitrary, Cause, Effect, Exit, Option } from "effect"
import { expect, it } from "vitest"
import * as entrypoints from "../../src/core/entrypoints.ts"
import { UserSubscriptionManager } from "../../src/object/UserSubscriptionManager.ts"
import type { Contract } from "../../src/rpc/contract.ts"
import * as methods from "../../src/rpc/methods.ts"
import * as move from "../../src/rpc/move.ts"
import { ConfirmPushes, TakePush } from "../../src/rpc/push.ts"
import { makeDice } from "../dice.ts"
import { Person } from "../object/person.ts"
import { mutate } from "../payloads/mutate.ts"
import { allObjects, changes, everythingStored } from "../payloads/stored.ts"
import { clock } from "../worker.ts"

type AnyContract = Pick<Contract<string, never, unknown, unknown, unknown>, "name" | "decodeExit"> & {
  readonly payload: Parameters<typeof Arbitrary.schema>[0]
  readonly encodePayload: (payload: never) => Exit.Exit<unknown, unknown>
}

const forPeople = [
  ...[methods.SetToken, methods.RemoveToken, methods.ValidateTokens, methods.RefreshTokens, methods.PollNow],
  ...[methods.GetStatus, methods.ListSubscriptions, methods.Forget],
]
const forMove = [
  ...[move.ImportTokens, move.FingerprintTokens, move.TakeOver, move.HandBack, move.SetMirror, move.DiscardCopies],
  ...[methods.ExportTokens, methods.EndPauses, methods.Redeliver],
]
const ofObject = [
  ...[move.HolderSetToken, move.HolderRemoveToken, move.HolderGetAccessToken, move.HolderListSubscriptions],
  ...[methods.ValidateTokens, methods.RefreshTokens, methods.PollNow, methods.GetStatus, methods.Wake, methods.Forget],
]

const doors: ReadonlyArray<{
  readonly name: string
  readonly methods: object
  readonly contracts: ReadonlyArray<AnyContract>
  readonly at: (person: Person) => object
}> = [
  {
    ...{ name: "the gateway's entrypoint", methods: entrypoints.GatewayEntrypoint.prototype },
    contracts: [...forPeople, ConfirmPushes, TakePush],
    at: () => exports.GatewayEntrypoint,
  },
  {
    ...{ name: "cron's entrypoint", methods: entrypoints.CronEntrypoint.prototype },
    contracts: [methods.Wake, move.ImportTokens, methods.GetStatus],
    at: () => exports.CronEntrypoint,
  },
  {
    ...{ name: "the migration's entrypoint", methods: entrypoints.MigrationEntrypoint.prototype },
    contracts: [...forMove, methods.ValidateTokens, methods.RemoveToken, methods.GetStatus],
    at: () => exports.MigrationEntrypoint,
  },
  {
    ...{ name: "the tokens' entrypoint", methods: entrypoints.TokensEntrypoint.prototype },
    contracts: [move.GetAccessToken],
    at: () => exports.TokensEntrypoint,
  },
  {
    ...{ name: "the object", methods: UserSubscriptionManager.prototype, contracts: [...forMove, ...ofObject] },
    at: ({ stub }) => stub,
  },
]

const invoke = async (target: object, name: string, wire: unknown): Promise<unknown> => {
  const method: unknown = Reflect.get(target, name)
  if (typeof method !== "function") throw new Error(`there is no ${name}`)
  const reply: unknown = await Reflect.apply(method, target, [wire])
  return typeof reply === "object" && reply !== null ? Reflect.get(reply, "exit") : undefined
}

// Ahead of the platform's own clock: no alarm fires by itself, and changes what is compared.
clock.aheadMs = 2 * 3_600_000

const payloads = Number(env.PAYLOADS)

/** Payloads as they cross the wire: some as their schema has them, most with one or two places changed. */
const madeUp = async (contract: AnyContract, person: Person, seed: number): Promise<ReadonlyArray<unknown>> => {
  const dice = makeDice(seed)
  const sampled = await Effect.runPromise(
    Arbitrary.sampleEffect(Arbitrary.schema(contract.payload), { count: payloads, seed, size: 4 }),
  )
  return sampled.map((payload) => {
    const encoded = contract.encodePayload(payload as never)
    const wire: unknown = Exit.isSuccess(encoded) ? encoded.value : payload
    // Mostly about somebody who exists: what is made up is seldom anybody.
    const about = dice.isDrawn(0.8) && typeof wire === "object" ? { ...wire, userId: person.id } : wire
    if (dice.isDrawn(0.2)) return about
    const once = mutate(about, dice)
    return dice.isDrawn(0.3) ? mutate(once, dice) : once
  })
}

const places = doors.flatMap(({ contracts, ...door }) => contracts.map((contract) => ({ door, contract })))

it.each(doors)("every method of $name is tried", ({ methods: served, contracts }) => {
  const names = Object.getOwnPropertyNames(served).filter((name) => !["constructor", "layer", "alarm"].includes(name))
  expect(new Set(contracts.map(({ name }) => name))).toEqual(new Set(names))
})

it.each(places.map((place, index) => [place.contract.name, place.door.name, place, index] as const))(
  "%s of %s answers made-up payloads without a defect, and a refused one changes nothing",
  async (name, _door, { door, contract }, index) => {
    const ofOthers = await allObjects()
    let person = new Person()
    await person.connects("spotify")
    let before = await everythingStored(ofOthers)
    for (const wire of await madeUp(contract, person, index + 1)) {
      const shown = JSON.stringify(wire)?.slice(0, 500)
      const exit = contract.decodeExit(await invoke(door.at(person), name, wire))
      if (!Exit.isSuccess(exit)) throw new Error(`the reply to ${shown} cannot be read`)
      const error = Exit.isFailure(exit.value) ? Cause.findErrorOption(exit.value.cause) : Option.none()
      const tag = Option.match(error, { onNone: () => null, onSome: (one) => Object(one)._tag })
      expect(tag, shown).not.toBe("InternalError")
      expect(tag, shown).not.toBe("ObjectUnavailable")
      const after = await everythingStored(ofOthers)
      if (tag === "InvalidRequest") expect(changes(before, after), `${shown} is refused`).toEqual([])
      before = after
      if (Exit.isSuccess(exit.value) && name === "forget") {
        person = new Person()
        await person.connects("spotify")
        before = await everythingStored(ofOthers)
      }
    }
  },
)

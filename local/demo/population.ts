import { Effect, Ref } from "effect"
import { Display } from "../../src/cli/Display.ts"
import type { Grant, GrantInput, Provider, SeededPerson } from "../simulator/model.ts"
import { Gateway } from "../stack/Gateway.ts"
import { Simulator } from "../stack/Simulator.ts"
import type { StartOptions } from "./options.ts"

/** Episodes and videos that a source has before the run begins. */
const archiveItems = 12

/** The share of what a person follows that everybody else follows too. */
const sharedFraction = 0.2

/**
 * Seconds that the first access tokens live. The first is refreshed at the first poll, the second in the middle of the run, the third
 * not at all.
 */
const lifetimes = [1, 15, 3600] as const

/** The last person's grants outlive the run, so that their idle poll can be measured without a refresh in it. */
const lifetimeOf = (index: number, people: number): number =>
  index === people - 1 ? 3600 : (lifetimes[index % lifetimes.length] ?? 3600)

interface Consent extends GrantInput {
  readonly person: string
  readonly provider: Provider
}

const connect = Effect.fnUntraced(function* ({ person, provider }: Consent, grant: Grant) {
  const gateway = yield* Gateway
  yield* gateway.request(person, "PUT", `/v1/accounts/${provider}/token`, grant)
})

/** Creates people who follow things at both providers. */
export const seedPeople = Effect.fnUntraced(function* ({ users, shows, channels }: StartOptions) {
  const simulator = yield* Simulator
  return yield* simulator.ask((client) =>
    client.seed({
      people: users,
      showsEach: shows,
      channelsEach: channels,
      itemsEach: archiveItems,
      sharedFraction,
    }),
  )
})

/** Gives pollen everybody's tokens, as their apps do after consent. The objects' alarms do the rest. */
export const connectPeople = Effect.fnUntraced(function* (people: ReadonlyArray<SeededPerson>) {
  const display = yield* Display
  const simulator = yield* Simulator
  const consents = people.flatMap(({ id }, index) => {
    const expiresInSeconds = lifetimeOf(index, people.length)
    return (["spotify", "youtube"] as const).map((provider): Consent => ({ person: id, provider, expiresInSeconds }))
  })
  const grants = yield* simulator.ask((client) => client.grants(consents))
  const done = yield* Ref.make(0)
  yield* Effect.forEach(
    consents.map((consent, index) => ({ consent, grant: grants[index] })),
    Effect.fnUntraced(function* ({ consent, grant }) {
      if (grant !== undefined) yield* connect(consent, grant)
      yield* display.progress({
        name: "tokens set by RPC",
        done: yield* Ref.updateAndGet(done, (count) => count + 1),
        total: consents.length,
      })
    }),
    { concurrency: 6, discard: true },
  )
})

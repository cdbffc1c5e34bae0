import { Effect, Random, Ref, Schedule } from "effect"
import type { Published } from "../demo/verdict.ts"
import type { Provider } from "../simulator/model.ts"
import { Gateway } from "../stack/Gateway.ts"
import { Simulator } from "../stack/Simulator.ts"
import { type Person, providers } from "./people.ts"
import type { Pace } from "./settings.ts"
import { Workers } from "./Workers.ts"

// What goes on while people move: sources publish, people consent anew, and cron runs.

/** Everything published so far, and how often people have set a token. */
export interface Events {
  readonly published: Ref.Ref<ReadonlyArray<Published>>
  readonly tokensSet: Ref.Ref<number>
  readonly cronRuns: Ref.Ref<number>
}

export const noEvents: Effect.Effect<Events> = Effect.all({
  published: Ref.make<ReadonlyArray<Published>>([]),
  tokensSet: Ref.make(0),
  cronRuns: Ref.make(0),
})

/** How a person tries again: for longer than the runtime takes to come back. */
const consentAgain = Schedule.spaced("500 millis").pipe(Schedule.upTo({ times: 60 }))

/** From one run of the migration worker's Cron Trigger to the next: a minute, where it is deployed. */
const betweenTriggers = "5 seconds"

const anyOf = <A>(all: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, all.length - 1), (place) => all[place])

/** One new item in any of the sources. It is recorded even if the rehearsal ends meanwhile: nobody has been given what nobody published. */
export const publishOne = Effect.fnUntraced(function* (sources: ReadonlyArray<string>, events: Events) {
  const { ask } = yield* Simulator
  const source = (yield* anyOf(sources)) ?? ""
  const items = yield* ask((client) => client.publish(source, 1))
  yield* Ref.update(events.published, (before) => [
    ...before,
    ...items.map(({ id }) => ({ itemId: id, sourceId: source })),
  ])
}, Effect.uninterruptible)

/**
 * A person logs in again and their app sets the tokens, through the gateway. Without an answer they do it once more from the start,
 * as people do: whether the first tokens have been taken, and perhaps exchanged since, nobody can tell. Goes through even if the
 * rehearsal ends meanwhile: a grant that pollen was never given would count as lost.
 */
export const consentAnew = Effect.fnUntraced(function* (person: string, provider: Provider, events: Events) {
  const { ask } = yield* Simulator
  const gateway = yield* Gateway
  const consent = Effect.flatMap(
    ask((client) => client.grant(person, provider)),
    (grant) => gateway.request(person, "PUT", `/v1/accounts/${provider}/token`, grant),
  )
  yield* Effect.retry(consent, consentAgain)
  yield* Ref.update(events.tokensSet, (count) => count + 1)
}, Effect.uninterruptible)

/** Goes on until it is interrupted: what is published, what people set, and cron, each at its own pace. */
export const live = Effect.fn("live")(function* (people: ReadonlyArray<Person>, pace: Pace, events: Events) {
  const { runCron, tend } = yield* Workers
  const sources = [...new Set(people.flatMap(({ shows, channels }) => [...shows, ...channels]))]
  const publishing = publishOne(sources, events).pipe(Effect.delay(1000 / pace.itemsPerSecond), Effect.forever)
  const consenting = Effect.gen(function* () {
    const person = yield* anyOf(people)
    const provider = yield* anyOf(providers)
    if (person !== undefined && provider !== undefined) yield* consentAnew(person.id, provider, events)
  }).pipe(Effect.delay(1000 / pace.tokensPerSecond), Effect.forever)
  // A run that dies with the runtime is no matter: the next one does what it has not done.
  const polling = Effect.ignore(runCron).pipe(
    Effect.andThen(Ref.update(events.cronRuns, (count) => count + 1)),
    Effect.andThen(Effect.sleep(pace.betweenCronRunsMs)),
    Effect.forever,
  )
  const tending = Effect.ignore(tend).pipe(Effect.delay(betweenTriggers), Effect.forever)
  yield* Effect.all([publishing, consenting, polling, tending], { concurrency: "unbounded", discard: true })
})

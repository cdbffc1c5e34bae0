import { Clock, Effect, Layer, Random } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"
import { PromiseBroken } from "../error.ts"
import { Gateway } from "../stack/Gateway.ts"
import { Simulator } from "../stack/Simulator.ts"
import { keepSignals } from "../stack/signals.ts"
import { brokenPromises, type Figures } from "./figures.ts"
import { operator } from "./operator.ts"
import type { RehearsalOptions } from "./options.ts"
import { renderResult, type Surroundings, suggestions } from "./result.ts"
import { runRehearsal } from "./run.ts"
import { accessTokenSeconds, limitSettings, type Pace, paceOf } from "./settings.ts"
import { Workers } from "./Workers.ts"

const errorsShown = 5

/** Shows what the workers logged as errors. */
const showErrors = Effect.gen(function* () {
  const display = yield* Display
  const { takeErrors } = yield* Workers
  const errors = yield* takeErrors
  yield* Effect.forEach(errors.slice(-errorsShown), (error) => display.line(`worker: ${error}`), { discard: true })
})

/** Prints the verdict; fails with `PromiseBroken`, and with it the command, if a promise is broken. */
export const pronounce = Effect.fnUntraced(function* (
  figures: Figures,
  surroundings: Surroundings,
  { json }: Pick<RehearsalOptions, "json">,
) {
  const display = yield* Display
  const broken = brokenPromises(figures)
  yield* display.line(`\n${renderResult(figures, surroundings)}\n`)
  if (broken.length === 0 && !json) yield* display.line(suggestions(figures.users))
  if (json) yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(figures)}\n`))
  if (broken.length === 0) return
  return yield* new PromiseBroken({ message: `The rehearsal broke a promise: ${broken.join("; ")}.` })
})

const rehearsal = Effect.fnUntraced(function* (options: RehearsalOptions, pace: Pace, startedAt: number) {
  const display = yield* Display
  yield* display.line("The four workers and the simulator are up, and D1 is migrated.")
  const { figures, surroundings } = yield* Effect.tapCause(runRehearsal(options, pace, startedAt), () => showErrors)
  if (brokenPromises(figures).length > 0) yield* showErrors
  yield* pronounce(figures, surroundings, options)
})

const gatewayOf = (key: string) =>
  Layer.unwrap(Effect.map(Workers, ({ toGateway }) => Gateway.layerAt("http://pollen-gateway", key, toGateway)))

/** Runs `pollen rehearse`: the whole move on this machine. */
export const rehearse = Effect.fn("rehearse")(function* (options: RehearsalOptions) {
  const startedAt = yield* Clock.currentTimeMillis
  const keys = generateKeys()
  const pace = paceOf(options.users)
  const simulator = Simulator.layer({
    seed: options.seed,
    accessTokenLifetimeSeconds: accessTokenSeconds,
    refreshTokenRotation: { spotify: "single-use", youtube: "single-use" },
  })
  const output = options.json ? process.stderr : process.stdout
  const services = Layer.mergeAll(gatewayOf(keys.GATEWAY_KEY), operator(keys.ADMIN_TOKEN)).pipe(
    Layer.provideMerge(Workers.layer(keys, pace, limitSettings(options), output)),
    Layer.provideMerge(simulator),
    Layer.provideMerge(Display.layer(output)),
  )
  yield* keepSignals(output, "Stopping. There is no verdict, and nothing is kept.")
  yield* rehearsal(options, pace, startedAt).pipe(Effect.provide(services), Random.withSeed(options.seed))
}, Effect.scoped)

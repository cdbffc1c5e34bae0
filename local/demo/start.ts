import { resolve } from "node:path"
import { Clock, Effect, Layer } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { watched } from "../../src/cli/exit.ts"
import { localKeys } from "../../src/cli/state/keys.ts"
import { Gateway } from "../stack/Gateway.ts"
import { LocalStack } from "../stack/LocalStack.ts"
import { root } from "../stack/root.ts"
import { Simulator } from "../stack/Simulator.ts"
import { keepSignals } from "../stack/signals.ts"
import { addLegacyPeople } from "./legacyPeople.ts" // legacy
import { startLive } from "./live.ts"
import type { StartOptions } from "./options.ts"
import { renderResult, requireKept } from "./result.ts"
import { runMainJob } from "./runMainJob.ts"
import { renderSuggestions } from "./suggestions.ts"

const errorsShown = 5

/** Shows what the workers logged as errors. */
const showErrors = Effect.gen(function* () {
  const display = yield* Display
  const stack = yield* LocalStack
  const errors = yield* stack.takeErrors
  yield* Effect.forEach(errors.slice(-errorsShown), (error) => display.line(`worker: ${error}`), { discard: true })
})

const simulated = Effect.fnUntraced(function* (options: StartOptions, startedAt: number) {
  const display = yield* Display
  const stack = yield* LocalStack
  const simulator = yield* Simulator
  const gateway = yield* Gateway
  yield* display.line("The workers are up, and the database is migrated.\n")
  const { people, result } = yield* Effect.tapCause(runMainJob(options, startedAt), () => showErrors)
  yield* display.line(`\n${renderResult(result)}\n`)
  const isKept = result.lost === 0 && result.doubled === 0
  if (isKept)
    yield* display.line("Everything that was published has reached everybody who follows its source, once.\n", "good")
  if (!isKept) yield* showErrors
  yield* addLegacyPeople(options.legacy) // legacy
  if (options.json) yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(result)}\n`))
  if (!options.once) {
    const [person] = people
    yield* display.line(
      renderSuggestions({
        gateway: stack.url,
        simulator: simulator.url,
        cronUrl: stack.cronUrl,
        bearer: yield* gateway.bearer(person?.id ?? ""),
        person: person?.id ?? "",
        source: person?.shows[0] ?? person?.channels[0],
        stateDir: options.stateDir,
        legacy: options.legacy, // legacy
      }),
    )
    yield* showErrors.pipe(Effect.delay("2 seconds"), Effect.forever)
  }
  yield* requireKept(result)
})

/** Says what is thrown away and what is kept. */
const farewell = ({ live, stateDir }: StartOptions): string =>
  live
    ? `Stopping. Tokens, feed and keys stay in ${stateDir} for the next time.`
    : `Stopping. The database goes; the keys in ${stateDir} stay.`

/** Runs `pollen start`: the whole system on this machine. */
export const start = Effect.fn("start")(function* (options: StartOptions) {
  yield* watched
  const startedAt = yield* Clock.currentTimeMillis
  const output = options.json ? process.stderr : process.stdout
  const display = Display.layer(output)
  const stateDir = resolve(root, options.stateDir)
  yield* keepSignals(output, farewell(options))
  if (options.live) return yield* Effect.provide(startLive(options, stateDir, output), display)
  const keys = yield* localKeys(stateDir)
  const services = Gateway.layer.pipe(
    Layer.provideMerge(LocalStack.layer({ port: options.port, keys, stateDir, output })),
    Layer.provideMerge(Simulator.layer({ seed: 1 })),
    Layer.provideMerge(display),
  )
  yield* Effect.provide(simulated(options, startedAt), services)
}, Effect.scoped)

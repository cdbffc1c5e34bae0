import type { ChildProcess } from "node:child_process"
import { rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Effect } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { CannotStart, toCannotStart } from "../../src/cli/state/error.ts"
import { type Keys, localKeys } from "../../src/cli/state/keys.ts"
import { announceStack, readStacks } from "../../src/cli/state/stacks.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { runCronEvery } from "../stack/cronSchedule.ts"
import { freePort } from "../stack/freePort.ts"
import { openHttpForwarder } from "../stack/HttpForwarder.ts"
import { coreWorker, cronWorker, gatewayWorker, migrationWorker } from "../stack/LocalWorker.ts"
import { root } from "../stack/root.ts"
import { loadWrangler } from "../stack/signals.ts"
import { openTcpForwarder } from "../stack/TcpForwarder.ts"
import { type Output, whileWaiting } from "../stack/whileWaiting.ts"
import {
  exitOf,
  killWrangler,
  migrateKept,
  startWranglerDev,
  stopWrangler,
  writeWorkers,
} from "../stack/wranglerDev.ts"
import { type LiveSettings, readLiveSettings } from "./liveSettings.ts"
import { renderLiveSuggestions } from "./liveSuggestions.ts"
import type { StartOptions } from "./options.ts"

const person = "me"
/** Longer than any start that will succeed: a slow machine takes a minute. */
const startAtMost = "3 minutes"
/** As often as where it is deployed. */
const cronSeconds = 30 * 60
const tendSeconds = 60

/** The router first, since the first worker has the port. */
const workers = (keys: Keys, { secrets }: LiveSettings) => [
  { configPath: "local/demo/workers/wrangler.toml" },
  gatewayWorker(keys),
  coreWorker(keys, { secrets }),
  cronWorker({
    entry: "local/stack/workers/cron.ts",
    secrets, // legacy
  }),
  migrationWorker(keys, { entry: "local/stack/workers/migration.ts" }),
]

const endOf = (child: ChildProcess) => Effect.promise(() => exitOf(child))

const migrate = Effect.fnUntraced(function* (state: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => migrateKept(state)),
    (child) => Effect.promise(() => killWrangler(child)),
  )
  if ((yield* endOf(child)) === 0) return
  return yield* new CannotStart({
    message: `The local database in ${state} cannot be migrated; wrangler says why above.`,
  })
}, Effect.scoped)

const untilHealthy = (url: string) =>
  Effect.promise(() =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  ).pipe(
    Effect.delay("250 millis"),
    Effect.repeat({ until: (isUp) => isUp }),
    Effect.timeoutOrElse({
      duration: startAtMost,
      orElse: () => new CannotStart({ message: `The workers were not up after ${startAtMost}; start again.` }),
    }),
  )

/** Two runtimes cannot have the same database open. */
const refuseSecond = Effect.fnUntraced(function* (stateDir: string) {
  const running = (yield* readStacks(stateDir)).find(({ kind }) => kind === "live")
  if (running === undefined) return
  return yield* new CannotStart({
    message: `A stack with the real providers runs already, at ${running.url} (process ${running.pid}), and its database can be used by one: stop it, or give another --state-dir.`,
  })
})

const writeConfigs = (folder: string, keys: Keys, settings: LiveSettings) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => writeWorkers(folder, workers(keys, settings)),
      catch: toCannotStart(folder),
    }),
    () => Effect.promise(() => rm(folder, { recursive: true, force: true })),
  )

/** Sends requests to one of the workers behind the router. */
const openWorker = (url: string, worker: string) =>
  openHttpForwarder((target, init) => {
    const { pathname, search } = new URL(String(target))
    const headers = new Headers(init?.headers)
    headers.set("pollen-worker", worker)
    return fetch(`${url}${pathname}${search}`, { ...init, headers })
  })

/** Starts the same workers against the real providers, with a database that stays. */
export const startLive = Effect.fn("startLive")(function* (
  { port, devVars, stateDir: typedStateDir }: StartOptions,
  stateDir: string,
  output: Output,
) {
  const display = yield* Display
  const settings = yield* readLiveSettings(resolve(root, devVars))
  yield* refuseSecond(stateDir)
  const forwarder = yield* openTcpForwarder(port)
  const keys = yield* localKeys(stateDir)
  yield* display.line("starting core, gateway, cron and migration workers, and a database that stays")
  const state = join(stateDir, "state")
  yield* whileWaiting(output, () => "loading wrangler", loadWrangler)
  const configs = yield* writeConfigs(join(stateDir, "live"), keys, settings)
  yield* whileWaiting(output, () => "migrating the database", migrate(state))
  const inner = yield* Effect.promise(freePort)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => startWranglerDev({ configs, port: inner, state })),
    (child) => Effect.promise(() => stopWrangler(child)),
  )
  const stopped = endOf(child).pipe(
    Effect.flatMap(() => new CannotStart({ message: "The workers stopped; wrangler says why above." })),
  )
  const innerUrl = `http://127.0.0.1:${inner}`
  const starting = Effect.raceFirst(untilHealthy(innerUrl), stopped)
  yield* whileWaiting(output, () => "building and starting the workers", starting)
  yield* forwarder.forwardTo(inner)
  const cronUrl = yield* openWorker(innerUrl, "cron")
  const migrationUrl = yield* openWorker(innerUrl, "migration")
  yield* announceStack(stateDir, { url: forwarder.url, migrationUrl, kind: "live" })
  const runCron = Effect.promise(() => fetch(cronUrl, { method: "POST" }).then((answer) => answer.text()))
  yield* runCronEvery(cronSeconds, runCron)
  const tend = { headers: { "pollen-worker": "tend" } }
  yield* runCronEvery(
    tendSeconds,
    Effect.promise(() => fetch(innerUrl, tend).then((answer) => answer.text())),
  )
  const bearer = yield* Effect.promise(() => issueBearer(keys.GATEWAY_KEY, person))
  const { providers } = settings
  yield* display.line(
    renderLiveSuggestions({
      ...{ gateway: forwarder.url, cronUrl, cronSeconds, bearer, providers },
      stateDir: typedStateDir,
    }),
  )
  return yield* stopped
}, Effect.scoped)

import { type ChildProcess, spawn } from "node:child_process"
import { join, resolve } from "node:path"
import { Effect } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { CannotStart } from "../../src/cli/state/error.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { root } from "../stack/harness.ts"
import { openTcpForwarder } from "../stack/TcpForwarder.ts"
import { liveSettings } from "./liveSettings.ts"
import { writeLiveWorkers } from "./liveWorkers.ts"
import type { StartOptions } from "./options.ts"

const person = "me"
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js")
const startAtMost = "60 seconds"

const run = (...parameters: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, [wrangler, ...parameters], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CI: "1", WRANGLER_LOG: "error", WRANGLER_SEND_METRICS: "false" },
  })

const exitOf = (child: ChildProcess) =>
  Effect.callback<number>((resume) => {
    if (child.exitCode !== null) return resume(Effect.succeed(child.exitCode))
    child.once("exit", (code) => resume(Effect.succeed(code ?? 1)))
  })

const stop = (child: ChildProcess) =>
  Effect.suspend(() => {
    if (child.exitCode !== null || child.signalCode !== null) return Effect.void
    child.kill("SIGINT")
    return Effect.asVoid(exitOf(child))
  })

const migrate = Effect.fnUntraced(function* (state: string) {
  const code = yield* exitOf(run("d1", "migrations", "apply", "pollen", "--local", "--persist-to", state))
  if (code === 0) return
  return yield* new CannotStart({
    message: `The local database in ${state} cannot be migrated; wrangler says why above.`,
  })
})

const untilHealthy = (url: string) =>
  Effect.promise(() =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  ).pipe(Effect.delay("250 millis"), Effect.repeat({ until: (isUp) => isUp }))

const howToGo = (url: string, bearer: string) => {
  const ask = `curl -sw '\\n' -H "Authorization: Bearer $TOKEN"`
  return [
    `Everything is up at ${url}, with the real providers and their usual intervals.`,
    "",
    "  First, in another terminal:",
    `    TOKEN=${bearer}`,
    "",
    "  Give it your tokens, got with these client ids (README.md says how), and the same at /youtube/token:",
    `    ${ask} -X PUT -H "Content-Type: application/json" ${url}/v1/accounts/spotify/token \\`,
    `      -d '{"accessToken":"…","refreshToken":"…","expiresIn":3600,"scope":"user-library-read"}'`,
    "",
    "  Then look:",
    `    ${ask} ${url}/v1/status`,
    `    ${ask} ${url}/v1/feed`,
    "",
    "Ctrl-C stops it; tokens and feed stay for the next time.",
  ].join("\n")
}

/** The same workers against the real providers, with a database that stays. */
export const startLive = Effect.fn("startLive")(function* ({ port, devVars }: StartOptions, stateDir: string) {
  const display = yield* Display
  const clientIds = yield* liveSettings(resolve(root, devVars))
  // Takes the port for a moment, to notice early and in plain words that somebody else has it.
  yield* Effect.scoped(openTcpForwarder(port))
  yield* display.line("starting core, gateway and cron workers and a database that stays")
  const { keys, configs } = yield* writeLiveWorkers(stateDir, clientIds)
  const state = join(stateDir, "state")
  yield* migrate(state)
  const parameters = configs.flatMap((config) => ["-c", config])
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      run(
        "dev",
        ...parameters,
        ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", state],
        "--show-interactive-dev-session=false",
      ),
    ),
    stop,
  )
  const url = `http://127.0.0.1:${port}`
  const stopped = exitOf(child).pipe(
    Effect.flatMap(() => new CannotStart({ message: "The workers stopped; wrangler says why above." })),
  )
  yield* Effect.raceFirst(
    untilHealthy(url).pipe(
      Effect.timeoutOrElse({
        duration: startAtMost,
        orElse: () => new CannotStart({ message: `The workers were not up after ${startAtMost}; start again.` }),
      }),
    ),
    stopped,
  )
  yield* display.line(howToGo(url, yield* Effect.promise(() => issueBearer(keys.GATEWAY_KEY, person))))
  return yield* stopped
}, Effect.scoped)

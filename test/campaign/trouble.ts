import { env } from "cloudflare:workers"
import { Clock, Duration } from "effect"
import { faultHeader } from "../../local/simulator/model.ts"
import { type Dice, makeDice } from "../dice.ts"
import { clock, passTime, settings } from "../worker.ts"
import { currentInvocation } from "./invocation.ts"
import { drawProviderFault } from "./providerFaults.ts"

/** What goes wrong while something is done. With a `seed` of 0 no request fails. */
export interface Noise {
  readonly seed: number
  /** An object dies at its so manieth await of something outside, and so many turns of its own after that; `null` for never. */
  readonly death: { readonly at: number; readonly turns: number } | null
  /** Subrequests that the platform lets an invocation of an object make; `null` for as many as it likes. */
  readonly limit: number | null
}

/** The part of requests to providers, and of calls to D1, that fail. */
const failing = { provider: 0.1, database: 0.1 }

/** Longer sleeps stand for a limit of time, and shorter ones for a pause before another try. Milliseconds. */
const longestPauseMs = 5_000

/** How long D1 and a provider may take, in the clock's milliseconds and in real ones. */
const databaseTimeoutMs = 20_000
const silenceMs = 15

interface Underway {
  readonly noise: Noise
  readonly dice: Dice
  awaits: number
  isSpent: boolean
}

/** Counts of what was done wrong, by kind. */
type Tally = Map<string, number>

/**
 * Stands between all of pollen and the world: requests to providers, calls to D1, the clock. It changes nothing of pollen's, and knows
 * of objects only that they make calls. Undone by `end`.
 */
export const beginTrouble = () => {
  let underway: Underway | undefined
  const tally: Tally = new Map()
  const count = (what: string) => void tally.set(what, (tally.get(what) ?? 0) + 1)
  const wait = (ms: number) => scheduler.wait(ms)

  /** Ends the object that is at its last await, if it is one. */
  const mayDie = async () => {
    const now = underway
    const invocation = currentInvocation()
    const death = now?.noise.death ?? null
    if (now === undefined || invocation === undefined || death === null || now.isSpent) return
    now.awaits += 1
    if (now.awaits < death.at) return
    now.isSpent = true
    count("object died")
    const turn = (left: number) => (left > 0 ? queueMicrotask(() => turn(left - 1)) : invocation.die())
    turn(death.turns)
  }

  const countSubrequest = () => {
    const invocation = currentInvocation()
    const limit = underway?.noise.limit ?? null
    if (invocation === undefined || limit === null) return
    invocation.subrequests += 1
    if (invocation.subrequests <= limit) return
    count("subrequest limit")
    throw new Error("Too many subrequests by single Worker invocation.")
  }

  const ask = globalThis.fetch
  const isProviders = (url: string) => url.startsWith(`${env.SIMULATOR_URL}/`) && !url.includes("/control/")
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (underway === undefined || !isProviders(url)) return ask(input, init)
    countSubrequest()
    await mayDie()
    const { dice, noise } = underway
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}))
    const hit = noise.seed !== 0 && dice.isDrawn(failing.provider)
    const ordered = hit ? drawProviderFault(dice, { isToken: /token$/.test(new URL(url).pathname) }) : null
    if (ordered === null) {
      const answer = await ask(input, init)
      await mayDie()
      return answer
    }
    count(`provider: ${ordered.fault.type}`)
    headers.set(faultHeader, JSON.stringify(ordered))
    // Who is not answered gives up after a time that nobody has to wait for here.
    const patience = ordered.fault.type === "hang" ? AbortSignal.timeout(silenceMs) : null
    const signals = [init?.signal, patience].filter((signal) => signal instanceof AbortSignal)
    const answer = await ask(input, {
      ...init,
      headers,
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    })
    await mayDie()
    return answer
  }

  /** A call to D1 that may fail, before it took effect or after, or take long. */
  const throughDatabase = async <A>(call: () => Promise<A>): Promise<A> => {
    if (underway === undefined) return call()
    countSubrequest()
    await mayDie()
    const { dice, noise } = underway
    if (noise.seed === 0 || !dice.isDrawn(failing.database)) {
      const answer = await call()
      await mayDie()
      return answer
    }
    const kind = dice.one(["refuses", "loses the answer", "is slow", "does not answer in time"] as const)
    count(`D1 ${kind}`)
    if (kind === "refuses") throw new Error("D1_ERROR: Network connection lost.")
    if (kind === "is slow") await wait(1 + dice.below(5))
    if (kind === "does not answer in time") {
      // The time of who waits is over, and then D1 does it after all.
      clock.aheadMs += databaseTimeoutMs + 1000
      await wait(2 * silenceMs)
    }
    const answer = await call()
    await mayDie()
    if (kind === "loses the answer") throw new Error("D1_ERROR: Network connection lost.")
    return answer
  }

  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>()
  const statement = (original: D1PreparedStatement): D1PreparedStatement => {
    const troubled = new Proxy(original, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== "function") return member
        if (name === "bind") return (...values: Array<unknown>) => statement(target.bind(...values))
        return (...parameters: Array<unknown>) =>
          throughDatabase(() => Promise.resolve(Reflect.apply(member, target, parameters)))
      },
    })
    originals.set(troubled, original)
    return troubled
  }
  const { DB } = env
  const prepare = DB.prepare.bind(DB)
  const batch = DB.batch.bind(DB)
  DB.prepare = (query) => statement(prepare(query))
  DB.batch = <A>(statements: Array<D1PreparedStatement>) =>
    throughDatabase(() => batch<A>(statements.map((one) => originals.get(one) ?? one)))

  // Workers without a clock of their own go by the objects' one, and nobody waits before another try.
  const ofWorkers: Clock.Clock = Object.getPrototypeOf(Clock.Clock.defaultValue())
  const { currentTimeMillisUnsafe, sleep } = ofWorkers
  const patched: { -readonly [Name in keyof Clock.Clock]: Clock.Clock[Name] } = ofWorkers
  patched.currentTimeMillisUnsafe = () => Date.now() + clock.aheadMs
  patched.sleep = function (this: Clock.Clock, duration) {
    const ms = Duration.toMillis(duration)
    const isPause = ms > 2 * silenceMs && ms <= longestPauseMs
    return isPause ? passTime(ms) : sleep.call(this, duration)
  }
  clock.briefMs = longestPauseMs
  settings.DATABASE_TIMEOUT = `${databaseTimeoutMs} millis`

  return {
    tally,
    /** Does something while this goes wrong. */
    amid: async <A>(noise: Noise, work: () => Promise<A>): Promise<A> => {
      const before = underway
      underway = { noise, dice: makeDice(noise.seed), awaits: 0, isSpent: false }
      return work().finally(() => {
        underway = before
      })
    },
    end: () => {
      globalThis.fetch = ask
      DB.prepare = prepare
      DB.batch = batch
      patched.currentTimeMillisUnsafe = currentTimeMillisUnsafe
      patched.sleep = sleep
      clock.aheadMs = 0
      clock.briefMs = 0
      delete settings.DATABASE_TIMEOUT
    },
  }
}
export type Trouble = ReturnType<typeof beginTrouble>

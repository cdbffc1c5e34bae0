import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import fc from "fast-check"
import type { Provider } from "../../local/simulator/model.ts"
import { runCron } from "../../src/cron/runCron.ts"
import type { Stage } from "../../src/domain/stage.ts"
import { aimAt, move, rollBack } from "../migration/driver.ts"
import { simulator } from "../object/person.ts"
import type { PersonInMove } from "../object/personInMove.ts"
import { passTime, settings } from "../worker.ts"
import type { Noise } from "./trouble.ts"
import { evict, fire, fireTwice, hour, hubStubs, loseAlarm, minute, mostHubs, type World } from "./World.ts"

type Command = fc.AsyncCommand<object, World>
type Deed = (world: World) => Promise<unknown>

/** A deed that is done amid noise. What fails in the noise fails for its caller; what came of it is for the auditor to see. */
const command = (name: string, noise: Noise | null, deed: Deed): Command => ({
  check: () => true,
  toString: () => (noise === null ? name : `${name} ${JSON.stringify(noise)}`),
  run: (_model, world) => {
    const done = () => deed(world).catch(() => undefined)
    return noise === null ? done().then(() => undefined) : world.trouble.amid(noise, done).then(() => undefined)
  },
})

/** `null` three times in four: most deeds see no death and no limit. */
const rarely = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const mixed: fc.Arbitrary<Noise> = fc.record({
  seed: fc.nat(0xffffff),
  death: rarely(fc.record({ at: fc.integer({ min: 1, max: 25 }), turns: fc.nat(40) })),
  limit: rarely(fc.integer({ min: 1, max: 30 })),
})

const person = fc.nat(1)
const source = fc.nat(3)
const provider = fc.constantFrom<Provider>("spotify", "youtube")
const stage = fc.constantFrom<Stage>("off", "dual_write", "shadow", "live", "rampdown", "complete")

const at = <A>(of: ReadonlyArray<A>, index: number): A => {
  const found = of[index]
  if (found === undefined) throw new Error("nobody there")
  return found
}

/** Variables of the cron worker: the legacy poller has the providers' ones of the environment, and no bounds. */
const cronVariables = { ...env, CORE: exports.CronEntrypoint, UNSAFE_DURATIONS: "true", REQUEST_TIMEOUT: "20 seconds" }

/** One run of cron, with both its duties. */
export const cron = () => Effect.runPromise(Effect.exit(runCron(cronVariables)))

const cancelRuns = () => env.DB.exec("UPDATE migration_runs SET state = 'cancelled' WHERE state = 'running'")

/** Takes people to a stage: whoever has asked for it is an operator, whose flags do not fail. */
export const takeTo = async (world: World, one: PersonInMove, to: Stage, amid: Noise | null) => {
  if (!world.movers.has(one)) return
  await aimAt(to, [one.id])
  await cancelRuns()
  const run = () => move({ people: [one.id] })
  await (amid === null ? run() : world.trouble.amid(amid, run))
}

const takeBack = async (world: World, one: PersonInMove, amid: Noise) => {
  if (!world.movers.has(one)) return
  await cancelRuns()
  await world.trouble.amid(amid, () => rollBack({ people: [one.id], to: "off" }))
}

const deeds = {
  publish: fc
    .record({ to: source, count: fc.integer({ min: 1, max: 3 }) })
    .map(({ to, count }) =>
      command(`publish ${count} in ${to}`, null, (world) => world.publish(at(world.sources, to).id, count)),
    ),
  withdraw: fc.nat(100).map((index) => command(`withdraw ${index}`, null, (world) => world.withdraw(index))),
  pass: fc
    .constantFrom(minute, 20 * minute, 3 * hour, 26 * hour, 8 * 24 * hour, -10 * minute)
    .map((ms) => command(`the clock jumps by ${ms / minute} min`, null, () => Effect.runPromise(passTime(ms)))),
  alarms: mixed.map((amid) => command("alarms that are due", amid, (world) => world.tick())),
  firesTwice: fc
    .record({ amid: mixed, who: person, isAtOnce: fc.boolean() })
    .map(({ amid, who, isAtOnce }) =>
      command(`alarm of ${who} twice${isAtOnce ? " at once" : ""}`, amid, (world) =>
        fireTwice(at(world.people, who).stub, isAtOnce),
      ),
    ),
  firesEarly: fc
    .record({ amid: mixed, who: person })
    .map(({ amid, who }) => command(`alarm of ${who}, due or not`, amid, (world) => fire(at(world.people, who).stub))),
  poll: fc
    .record({ amid: mixed, who: person })
    .map(({ amid, who }) => command(`poll of ${who}`, amid, (world) => world.attempt(at(world.people, who).pollNow()))),
  pollAmid: fc
    .record({ amid: mixed, who: person, to: source })
    .map(({ amid, who, to }) =>
      command(`poll of ${who} while ${to} publishes and an alarm fires`, amid, (world) =>
        Promise.allSettled([
          world.attempt(at(world.people, who).pollNow()),
          world.publish(at(world.sources, to).id, 1),
          fire(at(world.people, who).stub),
        ]),
      ),
    ),
  refresh: fc
    .record({ amid: mixed, who: person })
    .map(({ amid, who }) =>
      command(`refresh of ${who}`, amid, (world) =>
        world.attempt(at(world.people, who).refreshTokens({ force: true })),
      ),
    ),
  expire: person.map((who) =>
    command(`access tokens of ${who} expire`, null, (world) =>
      simulator.expireAccessTokens({ person: at(world.people, who).id }),
    ),
  ),
  evict: fc.constant(
    command("every object is evicted", null, async (world) => {
      for (const stub of world.objects) await evict(stub)
    }),
  ),
  otherHubs: fc.integer({ min: 1, max: mostHubs }).map((hubs) =>
    command(`${hubs} hubs from the next start of objects on`, null, async (world) => {
      settings.SOURCE_HUBS = String(hubs)
      for (const stub of world.objects) await evict(stub)
    }),
  ),
  hubAlarm: fc
    .record({ amid: mixed, which: fc.nat(2 * mostHubs - 1), how: fc.constantFrom("early", "twice", "lost") })
    .map(({ amid, which, how }) =>
      command(`alarm of hub ${which}, ${how}`, amid, async (world) => {
        if (!world.hasHubs) return
        const stub = at(hubStubs(), which)
        await (how === "early" ? fire(stub) : how === "twice" ? fireTwice(stub, true) : loseAlarm(stub))
      }),
    ),
  loseAlarm: person.map((who) =>
    command(`the alarm of ${who} is lost`, null, (world) => loseAlarm(at(world.people, who).stub)),
  ),
  unfollow: fc.record({ who: person, which: source }).map(({ who, which }) =>
    command(`${who} follows ${which} or no more`, null, async (world) => {
      const one = at(world.people, who)
      const { id } = at(world.sources, which)
      await (world.isFollowing(one, id) ? world.unfollow(one, id) : world.follow(one, id))
    }),
  ),
  revoke: fc
    .record({ who: person, where: provider })
    .map(({ who, where }) =>
      command(`${who} revokes ${where}`, null, (world) => world.revoke(at(world.people, who), where)),
    ),
  connect: fc
    .record({ amid: mixed, who: person, where: provider })
    .map(({ amid, who, where }) =>
      command(`${who} connects ${where}`, amid, (world) => world.connect(at(world.people, who), where)),
    ),
  remove: fc
    .record({ amid: mixed, who: person, where: provider })
    .map(({ amid, who, where }) =>
      command(`${who} disconnects ${where}`, amid, (world) => world.remove(at(world.people, who), where)),
    ),
  forget: fc
    .record({ amid: mixed, who: person })
    .map(({ amid, who }) => command(`${who} is forgotten`, amid, (world) => world.forget(at(world.people, who)))),
  cron: mixed.map((amid) => command("cron", amid, cron)),
  move: fc
    .record({ amid: mixed, to: stage })
    .map(({ amid, to }) =>
      command(`move to ${to} amid ${JSON.stringify(amid)}`, null, (world) =>
        takeTo(world, at(world.people, 1), to, amid),
      ),
    ),
  rollBack: mixed.map((amid) =>
    command(`roll back amid ${JSON.stringify(amid)}`, null, (world) => takeBack(world, at(world.people, 1), amid)),
  ),
} satisfies Record<string, fc.Arbitrary<Command>>

/** How often each is drawn; what stands nowhere here, twice. */
const weights: Partial<Record<keyof typeof deeds, number>> = {
  publish: 6,
  alarms: 8,
  pass: 8,
  poll: 4,
  pollAmid: 4,
  forget: 1,
  revoke: 1,
  remove: 1,
}

const entries = Object.entries(deeds) as ReadonlyArray<[keyof typeof deeds, fc.Arbitrary<Command>]>
const drawn: Array<fc.Arbitrary<Command>> = entries.flatMap(([name, arbitrary]) =>
  Array.from({ length: weights[name] ?? 2 }, () => arbitrary),
)

/** A sequence of events. Without bias: most would be short, and quiet. */
export const sequence = fc.noBias(fc.array(fc.oneof(...drawn), { minLength: 1, maxLength: 30, size: "max" }))

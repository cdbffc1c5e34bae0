import { applyD1Migrations, reset } from "cloudflare:test"
import { env } from "cloudflare:workers"
import fc from "fast-check"
import { simulator } from "../object/person.ts"
import { clock, settings } from "../worker.ts"
import { audit } from "./audit.ts"
import { askAgain, countPolls, inspect, passDay, readRows, reconnectRefused } from "./calm.ts"
import { sequence } from "./commands.ts"
import { beginTrouble, type Trouble } from "./trouble.ts"
import { beginHubs, hour, World } from "./World.ts"

/** Names all that a campaign does: the same seed has the same sequences. */
export interface Plan {
  readonly seed: number
  readonly sequences: number
  /** As a failure prints it, to play that sequence alone again; empty for all of them. */
  readonly path: string
  /** Told after every sequence how many there have been. */
  readonly tell?: (done: number) => void
}

/** What a campaign came to. */
export interface Outcome {
  /** Polls of accounts that were connected in the end, and those that succeeded in the end. */
  readonly polls: { readonly begun: number; readonly succeeded: number }
  /** What was done wrong, and how often. */
  readonly troubles: Readonly<Record<string, number>>
}

/** Sequences after which all that is stored is thrown away, so that a long campaign does not slow down. */
const sequencesAtOnce = 50

/** Empties D1, so that nobody of one sequence is met in another. */
const emptyDatabase = async () => {
  const { results: tables } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT IN ('d1_migrations', 'feature_flags')",
  ).all<{ readonly name: string }>()
  await env.DB.batch([
    ...tables.map(({ name }) => env.DB.prepare(`DELETE FROM "${name}"`)),
    env.DB.prepare("UPDATE feature_flags SET allow_list = '[]', deny_list = '[]'"),
  ])
}

/** Days that quiet may take to return: one in which everything is tried again, and two for what comes of it. */
const daysAtMost = 3

const judge = async (world: World) => [
  ...audit(world.happenings, await readRows(), world.sources),
  ...(await inspect(world)),
]

/** Lets quiet return: nothing fails any more, and days pass until the auditor has nothing to say. Throws what it says after the last. */
const calmDown = async (world: World, { days }: { readonly days: number }) => {
  await askAgain(world)
  for (let day = 1; ; day += 1) {
    await passDay(world)
    const wrong = await judge(world)
    if (wrong.length === 0 && day >= days) return
    if (wrong.length > 0 && day >= daysAtMost) throw new Error(wrong.join("\n"))
    if (wrong.length > 0) await reconnectRefused(world)
  }
}

interface Sequence {
  readonly events: Iterable<fc.AsyncCommand<object, World>>
  readonly isInDatabase: boolean
  readonly hasHubs: boolean
  /** Days of quiet at least. */
  readonly days: number
}

/** Days of quiet within which every library is read again: every other day where hubs look after the channels. */
const daysToRead = 2

/** Plays one sequence, lets quiet return and has the auditor judge. Throws what it finds wrong. */
const play = async (trouble: Trouble, { events, isInDatabase, hasHubs, days }: Sequence) => {
  await emptyDatabase()
  // Ahead of the platform's own clock, which so fires no alarm by itself.
  clock.aheadMs = 2 * hour
  await beginHubs(hasHubs)
  const world = new World(trouble, hasHubs)
  await world.begin({ isInDatabase })
  await fc.asyncModelRun(() => ({ model: {}, real: world }), events)
  await calmDown(world, { days: hasHubs ? Math.max(days, daysToRead) : days })
  const polls = await countPolls(world)
  for (const { id } of world.people) await simulator.clearLedger(id)
  return polls
}

const rarely = fc.nat(3).map((drawn) => drawn === 0)
const sequences: fc.Arbitrary<Sequence> = fc.record({
  events: sequence,
  isInDatabase: rarely,
  hasHubs: fc.boolean(),
  days: rarely.map((isLong) => (isLong ? daysAtMost : 1)),
})

/** Plays sequences until one goes wrong, which is shrunk and thrown. */
export const campaign = async ({ seed, sequences: wanted, path, tell = () => undefined }: Plan): Promise<Outcome> => {
  const trouble = beginTrouble()
  const polls = { begun: 0, succeeded: 0 }
  let done = 0
  try {
    for (let first = 0; first < wanted; first += sequencesAtOnce) {
      await reset()
      await applyD1Migrations(env.DB, env.DATABASE_MIGRATIONS)
      await fc.assert(
        fc.asyncProperty(sequences, async (given) => {
          const { begun, succeeded } = await play(trouble, given)
          polls.begun += begun
          polls.succeeded += succeeded
          done += 1
          tell(done)
        }),
        { seed: seed + first, numRuns: Math.min(sequencesAtOnce, wanted - first), endOnFailure: path !== "", path },
      )
    }
  } finally {
    trouble.end()
    delete settings.SOURCE_HUBS
    delete settings.YOUTUBE_API_KEY
  }
  return { polls, troubles: Object.fromEntries(trouble.tally) }
}

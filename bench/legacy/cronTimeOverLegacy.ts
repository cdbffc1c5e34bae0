import type { Figure } from "../figure.ts"
import { interleaved, median, rounded, spread } from "../spread.ts"
import { forEach, idsOf, insertPeople, makePeople } from "./population.ts"
import { openProduction, type Production } from "./production.ts"

/** Of whom an object is overdue: one in so many. */
const overdueOneIn = 100

/** So that a run over everybody is one run. */
const settings = {
  CRON_REQUEST_LIMIT: "10000000",
  LEGACY_REQUEST_LIMIT: "10000000",
  LEGACY_TIME_LIMIT: "14 minutes",
}

const insertStatus = `INSERT OR IGNORE INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, sources, failing_sources, accounts)
  SELECT value, value, 0, ?2, 4, 0, '[]' FROM json_each(?1)`
const makeOverdue =
  "UPDATE durable_object_status SET expected_by = 1 WHERE user_id IN (SELECT value FROM json_each(?1))"
const lastRun = "SELECT figures FROM durable_object_metrics WHERE kind = ?1 ORDER BY id DESC LIMIT 1"

/** What a run of cron or of the legacy poller says that it did. */
const figuresOf = async ({ database }: Production, kind: "cron_run" | "legacy_run") => {
  const text = await database.prepare(lastRun).bind(kind).first<string>("figures")
  const figures: unknown = JSON.parse(text ?? "{}")
  if (typeof figures !== "object" || figures === null) throw new Error(`${kind} left no figures`)
  return figures as Readonly<Record<string, unknown>>
}

const expectFigures = async (
  production: Production,
  kind: "cron_run" | "legacy_run",
  expected: Readonly<Record<string, unknown>>,
) => {
  const figures = await figuresOf(production, kind)
  for (const [name, value] of Object.entries(expected)) {
    if (figures[name] !== value) throw new Error(`${kind}: ${name} is ${figures[name]} instead of ${value}`)
  }
}

/** The same people, whom D1 holds and the legacy poller polls, or whose objects do that, as cron finds them. */
const prepare = async (production: Production, people: number) => {
  const { database } = production
  const ids = idsOf(people)
  const overdue = ids.filter((_, index) => index % overdueOneIn === 0)
  await makePeople(production, ids)
  // Real objects, of those who are overdue. Their rows in D1 come from them; what D1 would hold of their grants is put in beside.
  await forEach(overdue, 6, (userId) => production.connect(userId))
  await forEach(overdue, 6, (userId) => production.request(userId, "POST", "/v1/poll"))
  await database.prepare("DELETE FROM user_accounts").run()
  await insertPeople(production, ids)
  await database.prepare(insertStatus).bind(JSON.stringify(ids), 8.64e15).run()
  await database.prepare("UPDATE users SET durable_object_id = id WHERE durable_object_id IS NULL").run()
  const hold = (holder: "database" | "object") =>
    database.prepare("UPDATE user_accounts SET holder = ?1").bind(holder).run()
  return {
    legacy: async () => {
      await hold("database")
      const ms = await production.runCron()
      await expectFigures(production, "legacy_run", { isComplete: true, failed: 0, polled: people * 2 })
      return ms
    },
    cron: async () => {
      await hold("object")
      await database.prepare(makeOverdue).bind(JSON.stringify(overdue)).run()
      // As they are when an alarm was lost: in nobody's memory.
      await forEach(overdue, 6, production.evict)
      const ms = await production.runCron()
      await expectFigures(production, "cron_run", { isComplete: true, found: overdue.length, woken: overdue.length })
      return ms
    },
  }
}

export const cronTimeOverLegacy: Figure = {
  name: "cron_time_over_legacy",
  says: "A run of cron over 10,000 people who have moved, of whom 1 % are overdue, takes at most such a part of a run of the legacy poller over the same people.",
  unit: "times",
  limit: 0.02,
  bound: "atMost",
  measure: async (_stage, { isQuick, tell }) => {
    const people = isQuick ? 1_000 : 10_000
    const production = await openProduction({ vars: settings })
    try {
      tell(`${people} people`)
      const { legacy, cron } = await prepare(production, people)
      tell("the first run of the legacy poller, which fills everybody's feed")
      await legacy()
      const rounds = await interleaved(isQuick ? 3 : 5, (index) => {
        tell(`round ${index + 1}`)
        return { a: cron, b: legacy }
      })
      const ours = rounds.map(({ a }) => a)
      const theirs = rounds.map(({ b }) => b)
      const size = isQuick ? "; quick: a tenth of the people" : ""
      const how = `${people} people with two shows and two channels each, nothing new in any${size}; a run of the cron worker as it is deployed, seen from outside, by turns with everybody held by D1, and by objects, of which one in ${overdueOneIn} is overdue and evicted; each run got to the end. Cron: ${spread(ours)} ms; legacy poller: ${spread(theirs)} ms`
      return {
        value: rounded(median(ours) / median(theirs)),
        how,
        samples: { cronMs: ours.map(rounded), legacyMs: theirs.map(rounded) },
      }
    } finally {
      await production.close()
    }
  },
}

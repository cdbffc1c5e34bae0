import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { providers } from "../../src/domain/provider.ts"
import { lift, positionOf } from "../migration/driver.ts"
import { simulator } from "../object/person.ts"
import { dumpObject } from "../object/traces.ts"
import { clock } from "../worker.ts"
import { isForgotten, type Rows } from "./chronicle.ts"
import { cron, takeTo } from "./commands.ts"
import { hour, hubStubs, minute, type World } from "./World.ts"

/** Longer than any pause: a day of quota, the waits of refused grants, the backoff of a source. */
const dayMs = 27 * hour
/** Alarms that an object may have in a row without time passing: one that goes on and on is to fail, and not to hang. */
const alarmsAtMost = 40

/** Operators take everybody to the object's side, as often as it takes. */
const move = async (world: World) => {
  for (const person of [...world.movers]) {
    const { stage, target } = await positionOf(person.id)
    // Also somebody whose way back broke off: the object may have handed the account back, and D1 not know it yet.
    if (stage === "live" && target === "live") continue
    await lift([person.id])
    await env.DB.prepare("UPDATE token_migration_status SET next_attempt_at = NULL WHERE user_id = ?1")
      .bind(person.id)
      .run()
    await takeTo(world, person, "live", null)
  }
}

/** A day passes: operators do what they have to, cron runs, and alarms fire until nothing is due. */
export const passDay = async (world: World) => {
  await move(world)
  clock.aheadMs += dayMs
  await cron()
  let fired = 0
  while (await world.tick()) {
    fired += 1
    if (fired > alarmsAtMost) throw new Error("alarms fire for ever")
    // What is due in a moment is due.
    clock.aheadMs += minute
  }
}

/** People ask again for what they were not told was done. */
export const askAgain = async (world: World) => {
  for (const person of world.toForget) await world.forget(person)
  for (const { person, provider, wish } of [...world.wishes.values()]) {
    await (wish === "connect" ? world.connect(person, provider) : world.remove(person, provider))
  }
}

const selectAccounts = "SELECT user_id AS person, provider, state, is_active AS isActive FROM user_accounts"
const selectFeeds = "SELECT user_id AS person, provider, external_id AS item FROM user_feed_items"

export const readRows = async (): Promise<Rows> => {
  const [feeds, accounts] = await Promise.all([
    env.DB.prepare(selectFeeds).all<Rows["feeds"][number]>(),
    env.DB.prepare(selectAccounts).all<Omit<Rows["accounts"][number], "isActive"> & { readonly isActive: number }>(),
  ])
  return {
    feeds: feeds.results,
    accounts: accounts.results.map((row) => ({ ...row, isActive: row.isActive === 1 })),
  }
}

/** People whose grants an outage refused for good do as they are told, and connect again. */
export const reconnectRefused = async (world: World) => {
  const { accounts } = await readRows()
  for (const person of world.people) {
    const refused = (await simulator.ledger({ person: person.id, kind: "token" })).filter(
      ({ fault }) => fault !== undefined,
    )
    for (const provider of providers) {
      const row = accounts.find((one) => one.person === person.id && one.provider === provider)
      if (row?.state !== "reauthorization_required" || world.connection(person, provider) !== "connected") continue
      if (!refused.some((one) => one.provider === provider && one.fault === "invalid_grant")) continue
      await world.connect(person, provider)
    }
  }
}

/** All of D1 in which a text stands, as `table.column`. */
const mentionsInDatabase = async (text: string) => {
  const { results: tables } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ readonly name: string }>()
  const found = await env.DB.batch<Record<string, unknown>>(
    tables.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`)),
  )
  return tables.flatMap(({ name }, index) =>
    (found[index]?.results ?? []).flatMap((row) =>
      Object.entries(row).flatMap(([column, value]) => (String(value).includes(text) ? [`${name}.${column}`] : [])),
    ),
  )
}

/** Runs of the move say whom they were about: they are the operators' record, and hold nothing else of the person. */
const operatorsRecord: ReadonlyArray<string> = ["migration_runs.parameters", "migration_runs.progress"]

/** Lists what is wrong with what is left behind: outboxes, alarms, traces of the forgotten. */
export const inspect = async (world: World): Promise<ReadonlyArray<string>> => {
  const wrong: Array<string> = []
  const forgotten = world.people.filter(({ id }) => isForgotten(world.happenings, id))
  for (const { id } of forgotten) {
    const mentions = new Set(await mentionsInDatabase(id))
    for (const place of mentions)
      if (!operatorsRecord.includes(place)) wrong.push(`${place} mentions ${id}, who is forgotten`)
  }
  for (const stub of world.objects) {
    const waiting = await runInDurableObject(stub, (_instance, { storage: { sql } }) =>
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").toArray().length === 0
        ? 0
        : sql.exec("SELECT * FROM outbox").toArray().length,
    )
    if (waiting > 0) wrong.push(`${stub.id} has ${waiting} rows in its outbox`)
    if (forgotten.length === 0) continue
    const kept = await dumpObject(stub)
    for (const { id } of forgotten) if (kept.includes(id)) wrong.push(`${stub.id} mentions ${id}, who is forgotten`)
  }
  for (const stub of world.hasHubs ? hubStubs() : []) {
    const [watched, alarmAt] = await runInDurableObject(stub, async (_instance, { storage }) => [
      storage.sql.exec("SELECT 1 FROM watched").toArray().length,
      await storage.getAlarm(),
    ])
    if ((watched ?? 0) > 0 && alarmAt === null) wrong.push(`a hub looks after ${watched} channels and has no alarm`)
  }
  for (const person of world.people) {
    const isPolled = providers.some((provider) => world.connection(person, provider) === "connected")
    const alarmAt = await person.alarmAt()
    if (isPolled && alarmAt === null) wrong.push(`${person.id} has no alarm`)
    if (!isPolled && isForgotten(world.happenings, person.id) && alarmAt !== null)
      wrong.push(`${person.id} has an alarm`)
  }
  return [...wrong, ...world.defects]
}

/** Polls begun, and those after which the account's library was read with success before the end. */
export const countPolls = async (world: World) => {
  let begun = 0
  let succeeded = 0
  for (const person of world.people) {
    for (const provider of providers) {
      if (world.connection(person, provider) !== "connected") continue
      const asked = await simulator.ledger({ person: person.id, provider, kind: "library" })
      begun += asked.length
      succeeded +=
        asked.findLastIndex(({ status, fault }) => fault === undefined && (status === 200 || status === 304)) + 1
    }
  }
  return { begun, succeeded }
}

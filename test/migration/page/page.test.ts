import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { describe, expect, it, vi } from "vitest"
import type { Stage } from "../../../src/domain/stage.ts"
import { UserId } from "../../../src/domain/user.ts"
import type { Checkpoint } from "../../../src/migration/run/Steps.ts"
import { moveParameters } from "../../../src/migration/runs/parameters.ts"
import { counted } from "../../cron/population.ts"
import { forever } from "../../forever.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, begin, bindings, cancel, move, resume, rollBack } from "../driver.ts"

/** People with grants in D1, written a hundred at a time. */
const settle = async (count: number) => {
  const people = Array.from({ length: count }, () => new PersonInMove())
  const grants = await simulator.grants(people.map(({ id }) => ({ person: id, provider: "spotify" as const })))
  await env.DB.prepare(
    `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope)
     SELECT value->>'id', 'spotify', 1, value->>'accessToken', value->>'refreshToken', value->>'expiresAt', '' FROM json_each(?1)`,
  )
    .bind(JSON.stringify(people.map(({ id }, index) => ({ id, ...grants[index] }))))
    .run()
  return people.map(({ id }) => id)
}

const mark = { pass: 1, page: 1, cursor: "", happened: 0, dueAt: null }

/** D1 statements of one run that takes all of these people a step. */
const statementsFor = async (people: ReadonlyArray<PersonInMove["id"]>, to: Stage) => {
  await aimAt(to, people)
  const { counter, DB } = counted(env.DB)
  const run = await resume(await begin({ people }), { bindings: { ...bindings, DB }, mark })
  expect(run.progress).toMatchObject({ taken: people.length, arrived: people.length, failedAttempts: 0 })
  return counter.queries
}

const tableNames =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name"

/** Everything that D1 has, but for what a run says of itself, and everything that these people's objects have. */
const dump = async (people: ReadonlyArray<PersonInMove>) => {
  const { results } = await env.DB.prepare(tableNames).all<{ readonly name: string }>()
  const names = results.map(({ name }) => name).filter((name) => name !== "migration_runs")
  const rows = await env.DB.batch(names.map((name) => env.DB.prepare(`SELECT * FROM "${name}"`)))
  const objects = await Promise.all(
    people.map(({ stub }) =>
      runInDurableObject(stub, async (_instance, { storage }) => {
        const tables = storage.sql.exec<{ name: string }>(tableNames).toArray()
        const content = tables.map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray()])
        return { content, alarmAt: await storage.getAlarm() }
      }),
    ),
  )
  return { database: names.map((name, index) => [name, rows[index]?.results]), objects }
}

const loseKey = (person: PersonInMove) =>
  runInDurableObject(person.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE tokens SET key_id = 'lost'")
  })
const loseRefreshToken = (person: PersonInMove) =>
  env.DB.prepare("UPDATE user_accounts SET refresh_token = NULL WHERE user_id = ?1").bind(person.id).run()
const revoke = (person: PersonInMove) => simulator.revoke(person.id, "spotify")

/** Two people for each step, of whom one would fail, where a look can tell. */
const steps: ReadonlyArray<readonly [Stage, Stage, string?, ((person: PersonInMove) => Promise<unknown>)?]> = [
  ["off", "dual_write", "no_refresh_token", loseRefreshToken],
  ["dual_write", "shadow", "no_refresh_token", loseRefreshToken],
  ["shadow", "live", "grant_refused", revoke],
  ["live", "rampdown"],
  ["rampdown", "complete", "grant_refused", revoke],
  ["complete", "rampdown", "seal_broken", loseKey],
  ["rampdown", "live", "seal_broken", loseKey],
  ["live", "shadow", "seal_broken", loseKey],
  ["shadow", "dual_write"],
  ["dual_write", "off"],
]

describe("A page", () => {
  it("takes as many D1 statements for 120 people as for 5, at every step there and back", async () => {
    // More than are taken at once, and than D1 binds values.
    const [few, many] = [await settle(5), await settle(120)]
    const used: Array<readonly [Stage, number, number]> = []
    for (const to of [
      "dual_write",
      "shadow",
      "live",
      "rampdown",
      "complete",
      "rampdown",
      "live",
      "shadow",
      "dual_write",
      "off",
    ] as const) {
      used.push([to, await statementsFor(few, to), await statementsFor(many, to)])
    }
    for (const [to, ofFew, ofMany] of used) expect({ to, statements: ofMany }).toEqual({ to, statements: ofFew })
    expect(Math.max(...used.map(([, , ofMany]) => ofMany))).toBeLessThanOrEqual(30)
  })

  it("gives a sign of life while it is under way, and takes it back when it is written down", async () => {
    // One whose object hangs, and one who is soon done.
    const people = await settle(2)
    const [ada = UserId.make("nobody")] = people
    await aimAt("live", people)
    const id = await begin({ people })
    const held = await simulator.hold({ person: ada, kind: "library" })
    const moving = resume(id, { mark, steps: { heartbeatMs: 10 } })
    await simulator.waitForHeld(held)
    const { DB } = env
    const answers = () =>
      DB.prepare("SELECT progress->>'$.answers' AS answers FROM migration_runs WHERE id = ?1").bind(id).first("answers")
    await vi.waitUntil(async () => Number(await answers()) > 0, { timeout: forever })
    await simulator.release(held)
    expect((await moving).progress).toMatchObject({ arrived: 2, answers: 0 })
  })

  it("has at most as many people as it was told, and the run goes on with the next", async () => {
    const people = await settle(7)
    await aimAt("dual_write", people)
    const names: Array<string> = []
    const run = await resume(await begin({ people, pageSize: 3 }), { mark, onStep: (name) => names.push(name) })
    expect(names.filter((name) => name.startsWith("pass 1,"))).toHaveLength(3)
    expect(run.progress).toMatchObject({ taken: 7, arrived: 7 })
  })

  it("leaves whoever has no step to take as they are", async () => {
    const [ada] = await settle(1)
    expect(ada).toBeDefined()
    const run = await move({ people: ada === undefined ? [] : [ada] })
    expect(run.progress).toMatchObject({ people: 0, taken: 0 })
    const row = await env.DB.prepare("SELECT 1 FROM token_migration_status WHERE user_id = ?1").bind(ada).first()
    expect(row).toBeNull()
  })
})

describe("A run", () => {
  it("hands over to a new instance where one may take no more steps, and goes on from there", async () => {
    const people = await settle(6)
    await aimAt("shadow", people)
    const id = await begin({ people, pageSize: 2 })
    let mark: Checkpoint | null = null
    let instances = 0
    for (let isOver = false; !isOver; instances++) {
      let next: Checkpoint | null = null
      await resume(id, {
        mark,
        steps: {
          atMost: 2,
          goOn: (where) =>
            Effect.sync(() => {
              next = where
            }),
        },
      })
      mark = next
      isOver = next === null
    }
    expect(instances).toBeGreaterThan(3)
    expect(await resume(id, { mark })).toMatchObject({ state: "finished", progress: { taken: 12, arrived: 6 } })
  })

  it("that is dry is in nobody's way, and one that moves people keeps others that do from beginning", async () => {
    const dry = await begin({ isDry: true })
    const moving = await begin({})
    await expect(begin({})).rejects.toMatchObject({ _tag: "Conflict", reason: "run_under_way" })
    const other = await begin({ isDry: true })
    for (const id of [dry, moving, other]) await cancel(id)
  })

  it("waits for people who have failed, if the first is due soon, and takes them then", async () => {
    const [ada = UserId.make("nobody")] = await settle(1)
    await aimAt("dual_write", [ada])
    // A row that is put right while the run waits for it.
    const setRefreshToken = (token: string | null) =>
      env.DB.prepare("UPDATE user_accounts SET refresh_token = ?2 WHERE user_id = ?1").bind(ada, token).run()
    const { token } = (await env.DB.prepare("SELECT refresh_token AS token FROM user_accounts WHERE user_id = ?1")
      .bind(ada)
      .first<{ readonly token: string }>()) ?? { token: "" }
    await setRefreshToken(null)
    const waits: Array<number> = []
    const run = await resume(
      await begin({ people: [ada] }, { ...moveParameters({ people: [ada] }), patienceSeconds: 60 }),
      {
        steps: {
          sleep: (_name, ms) =>
            Effect.promise(async () => {
              waits.push(ms)
              await setRefreshToken(token)
              await env.DB.prepare("UPDATE token_migration_status SET next_attempt_at = 0 WHERE user_id = ?1")
                .bind(ada)
                .run()
            }),
        },
      },
    )
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThan(0)
    expect(waits[0]).toBeLessThanOrEqual(10_000)
    expect(run).toMatchObject({
      state: "finished",
      progress: { taken: 1, failedAttempts: 1, failures: [], waitingUntil: null },
    })
  })
})

describe("A dry run", () => {
  it("tells who would go where and who would fail, at every step there and back, and writes nothing at all", async () => {
    const settled = await Promise.all(
      steps.map(async ([from, to, reason, poison]) => {
        const people = [new PersonInMove(), new PersonInMove()] as const
        for (const person of people) await person.hasInDatabase("spotify")
        return { from, to, reason, poison, people }
      }),
    )
    const everybody = settled.flatMap(({ people }) => people)
    const ids = everybody.map(({ id }) => id)
    const aim = async (which: "from" | "to") => {
      for (const step of settled)
        await aimAt(
          step[which],
          step.people.map(({ id }) => id),
        )
    }
    await aim("from")
    await move({ people: ids })
    for (const { poison, people } of settled) await poison?.(people[1])
    await aim("to")

    const before = await dump(everybody)
    const run = await move({ people: ids, isDry: true })
    expect(run).toMatchObject({ state: "finished", isDry: true, progress: { people: 20, steps: 20 } })
    const routes = steps.map(([from, to]) => ({ from, to, people: 2 }))
    expect(run.progress.routes).toHaveLength(routes.length)
    expect(run.progress.routes).toEqual(expect.arrayContaining(routes))
    for (const reason of ["no_refresh_token", "grant_refused", "seal_broken"]) {
      const failing = settled.filter((step) => step.reason === reason).map(({ people }) => people[1].id)
      const told = run.progress.failures.find((failure) => failure.reason === reason)
      expect(told?.examples.toSorted()).toEqual(failing.toSorted())
    }
    expect(run.progress.failures).toHaveLength(3)
    const back = await rollBack({ to: "off", people: ids, isDry: true })
    expect(back.progress).toMatchObject({ people: 18, failures: [{ reason: "seal_broken" }] })
    expect(await dump(everybody)).toEqual(before)
  })
})

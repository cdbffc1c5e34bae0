import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import type { Stage } from "../../../src/domain/stage.ts"
import { takePage } from "../../../src/migration/page/takePage.ts"
import { PageSettings } from "../../../src/migration/person/PageSettings.ts"
import { stepServices } from "../../../src/migration/run/stepServices.ts"
import { moveParameters } from "../../../src/migration/runs/parameters.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, type Bindings, begin, bindings, cancel, move, positionOf } from "../driver.ts"
import { meanwhile } from "../meanwhile.ts"

/** One page of a run that takes one person a step, and does not wait for a refresh. */
const page = (id: string, person: PersonInMove, given: Bindings, lease: string) =>
  takePage(
    { id, parameters: moveParameters({ people: [person.id] }) },
    { pass: 1, cursor: "", isImpatient: true },
  ).pipe(
    Effect.provideService(PageSettings, { lease, concurrency: 1, claimWaitMs: 0, onAnswer: Effect.void }),
    Effect.provide(stepServices(given)),
    Effect.runPromise,
  )

const takeStep = async (person: PersonInMove, given: Bindings) => {
  const id = await begin({ people: [person.id] })
  const result = await page(id, person, given, "a lease")
  await cancel(id)
  return result
}

/** Somebody at a stage, who should be at the next. */
const at = async (from: Stage, to: Stage) => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  await aimAt(from, [person.id])
  await move({ people: [person.id] })
  await aimAt(to, [person.id])
  return person
}

const marking = "INSERT INTO token_migration_status"
const verifying = "SET state = 'verifying'"
const switchForward = "SET holder = 'object'"
const switchBack = "SET holder = 'database'"
const clear = "SET access_token = NULL"
const restore = "SET access_token = given.value"

it.each<readonly [Stage, Stage, string, string]>([
  ["shadow", "live", switchForward, "refresh_claim = 'somebody', refresh_claimed_until = 9e15"],
  ["shadow", "live", switchForward, "generation = generation + 1"],
  ["shadow", "live", switchForward, "epoch = epoch + 2"],
  ["shadow", "live", switchForward, "holder = 'object'"],
  ["live", "shadow", switchBack, "epoch = epoch + 2"],
  ["live", "shadow", switchBack, "holder = 'database', access_token = 'newer'"],
  ["rampdown", "complete", clear, "generation = generation + 1"],
  ["rampdown", "complete", clear, "epoch = epoch + 2"],
  ["rampdown", "complete", clear, "holder = 'database'"],
  ["complete", "rampdown", restore, "epoch = epoch + 2, access_token = 'newer'"],
  ["complete", "rampdown", restore, "holder = 'database', access_token = 'newer'"],
])("from %s to %s D1's row is written (%s) only as it was looked at, not once %s", async (from, to, text, change) => {
  const person = await at(from, to)
  const changed: Array<unknown> = []
  const happens = async () => {
    await env.DB.prepare(`UPDATE user_accounts SET ${change} WHERE user_id = ?1`).bind(person.id).run()
    changed.push(await person.row("spotify"))
  }
  await takeStep(person, meanwhile(text, happens))
  expect(changed).toHaveLength(1)
  const { fenced_until: _fence, ...left } = { fenced_until: null, ...(await person.row("spotify")) }
  expect(changed[0]).toMatchObject(left)
})

const setInDatabase = (person: PersonInMove) =>
  env.DB.prepare("UPDATE user_accounts SET refresh_token = 'other' WHERE user_id = ?1").bind(person.id).run()
const setInObject = async (person: PersonInMove) =>
  person.importGrant("spotify", await simulator.grant(person.id, "spotify"), { generation: 1 })

it.each<readonly [Stage, Stage, (person: PersonInMove) => Promise<unknown>]>([
  ["off", "dual_write", setInObject],
  ["live", "shadow", setInDatabase],
  ["rampdown", "live", setInDatabase],
])(
  "from %s to %s nothing is believed to be on the other side because it was written there",
  async (from, to, change) => {
    const person = await at(from, to)
    const result = await takeStep(
      person,
      meanwhile(verifying, () => change(person)),
    )
    expect(result).toMatchObject({ taken: 0, failed: 1 })
    expect(await positionOf(person.id)).toMatchObject({ state: "failed", reason: "not_the_same" })
  },
)

it("from complete to rampdown what D1 has is written again where it is not what the object has", async () => {
  const person = await at("complete", "rampdown")
  const result = await takeStep(
    person,
    meanwhile(verifying, () => setInDatabase(person)),
  )
  expect(result).toMatchObject({ taken: 1 })
  const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
  expect(await person.row("spotify")).toMatchObject({ refresh_token: newestRefreshToken })
})

it.each([
  ["before it has them in hand", marking],
  ["while it has", verifying],
])(
  "an attempt that was believed dead, and whose people another one takes their step %s, has nothing to say any more",
  async (_when, text) => {
    const person = await at("off", "dual_write")
    const id = await begin({ people: [person.id] })
    const other: Array<object> = []
    const happens = async () => other.push(await page(id, person, bindings, "another lease"))
    expect(await page(id, person, meanwhile(text, happens), "a lease")).toMatchObject({ taken: 0, failed: 0 })
    await cancel(id)
    expect(other).toMatchObject([{ taken: 1 }])
    const { history, ...position } = await positionOf(person.id)
    expect(position).toMatchObject({ stage: "dual_write", target: "dual_write", state: "migrated" })
    expect(history).toHaveLength(1)
    const run = await env.DB.prepare("SELECT progress->>'$.taken' AS taken FROM migration_runs WHERE id = ?1")
      .bind(id)
      .first()
    expect(run).toEqual({ taken: 1 })
  },
)

it("a copy of a grant that is replaced as soon as it has been compared is not taken for the newest", async () => {
  const person = await at("dual_write", "shadow")
  const CORE = new Proxy(bindings.CORE, {
    get: (target, key) => async (payload: unknown) => {
      const method: unknown = Reflect.get(target, key)
      const answer = typeof method === "function" ? await Reflect.apply(method, target, [payload]) : undefined
      await env.DB.prepare("UPDATE user_accounts SET generation = generation + 1 WHERE user_id = ?1")
        .bind(person.id)
        .run()
      return answer
    },
  })
  expect(await takeStep(person, { ...bindings, CORE })).toMatchObject({ taken: 0, failed: 0, overtaken: 1 })
  expect(await positionOf(person.id)).toMatchObject({ stage: "dual_write", state: "copying" })
})

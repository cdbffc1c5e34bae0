import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import type { Stage } from "../../src/domain/stage.ts"
import { moveParameters } from "../../src/migration/run/parameters.ts"
import { stepServices } from "../../src/migration/services.ts"
import { PageSettings } from "../../src/migration/step/PageSettings.ts"
import { takePage } from "../../src/migration/step/page.ts"
import { Mover } from "../object/mover.ts"
import { simulator } from "../object/person.ts"
import { aimAt, type Bindings, begin, cancel, move, positionOf } from "./driver.ts"
import { meanwhile } from "./meanwhile.ts"

/** One page that takes one person a step, and does not wait for a refresh. */
const takeStep = async (person: Mover, bindings: Bindings) => {
  const id = await begin({ people: [person.id] })
  const page = takePage(
    { id, parameters: moveParameters({ people: [person.id] }) },
    { pass: 1, cursor: "", duplicates: [], isImpatient: true },
  ).pipe(
    Effect.provideService(PageSettings, { lease: "a lease", concurrency: 1, claimWaitMs: 0 }),
    Effect.provide(stepServices(bindings)),
  )
  const result = await Effect.runPromise(page)
  await cancel(id)
  return result
}

/** Somebody at a stage, who should be at the next. */
const at = async (from: Stage, to: Stage) => {
  const person = new Mover()
  await person.hasInDatabase("spotify")
  await aimAt(from, [person.id])
  await move({ people: [person.id] })
  await aimAt(to, [person.id])
  return person
}

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

const verifying = "SET state = 'verifying'"
const setInDatabase = (person: Mover) =>
  env.DB.prepare("UPDATE user_accounts SET refresh_token = 'other' WHERE user_id = ?1").bind(person.id).run()
const setInObject = async (person: Mover) =>
  person.importGrant("spotify", await simulator.grant(person.id, "spotify"), { generation: 1 })

it.each<readonly [Stage, Stage, (person: Mover) => Promise<unknown>]>([
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

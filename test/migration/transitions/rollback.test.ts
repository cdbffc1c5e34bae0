import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import type { Stage } from "../../../src/domain/stage.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, begin, lift, move, positionOf, resume, rollBack, withFlags } from "../driver.ts"

beforeEach(async () => {
  await env.DB.batch(
    ["user_accounts", "token_migration_status", "migration_runs", "feature_flags"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )
})

/** People who were taken to a stage. */
const settled = async (stage: Stage, count = 2) => {
  const people = Array.from({ length: count }, () => new PersonInMove())
  for (const person of people) await person.hasInDatabase("spotify")
  const ids = people.map(({ id }) => id)
  if (stage === "off") return people
  await aimAt(stage, ids)
  await move({ people: ids })
  return people
}

const stagesOf = (people: ReadonlyArray<PersonInMove>) =>
  Promise.all(people.map(async ({ id }) => (await positionOf(id)).stage ?? "off"))

const setPercentage = (stage: "live" | "complete", percentage: number) =>
  withFlags((flags) => flags.changeStage(stage, { percentage }))

describe("A rollback", () => {
  it.each<Stage>(["shadow", "live", "rampdown", "complete"])(
    "brings people back from %s into D1, with a grant that works",
    async (stage) => {
      const people = await settled(stage)
      const [ada] = people
      const run = await rollBack({ to: "off", people: people.map(({ id }) => id) })
      expect(run).toMatchObject({ kind: "rollback", state: "finished", progress: { arrived: 2, failures: [] } })
      expect(await stagesOf(people)).toEqual(["off", "off"])
      expect(await ada?.row("spotify")).toMatchObject({ holder: "database", access_token: expect.any(String) })
      expect(await ada?.fingerprints()).toEqual([])
    },
  )

  it("wins over the flags until it is lifted: the next run moves nobody whom it took back", async () => {
    const [ada = new PersonInMove(), grace = new PersonInMove()] = await settled("live")
    await rollBack({ to: "shadow", people: [ada.id] })
    await setPercentage("complete", 100)
    await move({})
    expect(await stagesOf([ada, grace])).toEqual(["shadow", "complete"])
    expect(await positionOf(ada.id)).toMatchObject({ ceiling: "shadow" })
    expect(await lift([ada.id])).toEqual({ lifted: 1 })
    await move({})
    expect(await stagesOf([ada, grace])).toEqual(["complete", "complete"])
  })

  it("of a stage takes back who is there when it meets them, and nobody else", async () => {
    const live = await settled("live")
    const shadow = await settled("shadow")
    const complete = await settled("complete", 1)
    const run = await rollBack({ to: "dual_write", at: "live" })
    expect(run.progress).toMatchObject({ people: 2, steps: 4, taken: 4, arrived: 2 })
    expect(await stagesOf([...live, ...shadow, ...complete])).toEqual([
      "dual_write",
      "dual_write",
      "shadow",
      "shadow",
      "complete",
    ])
  })

  it("of everybody keeps those too who were not that far yet", async () => {
    const [ada = new PersonInMove()] = await settled("live", 1)
    const [grace = new PersonInMove()] = await settled("off", 1)
    await rollBack({ to: "dual_write", everybody: true })
    await setPercentage("live", 100)
    await move({})
    expect(await stagesOf([ada, grace])).toEqual(["dual_write", "dual_write"])
    expect(await lift(undefined)).toEqual({ lifted: 2 })
  })

  it("never takes anybody forward, and never lifts what an earlier one left", async () => {
    const [ada = new PersonInMove()] = await settled("live", 1)
    const [grace = new PersonInMove()] = await settled("shadow", 1)
    await rollBack({ to: "off", people: [ada.id] })
    const run = await rollBack({ to: "live", people: [ada.id, grace.id] })
    expect(run.progress).toMatchObject({ taken: 0 })
    expect(await positionOf(ada.id)).toMatchObject({ stage: "off", ceiling: "off" })
    expect(await positionOf(grace.id)).toMatchObject({ stage: "shadow", ceiling: "live" })
  })

  it("takes people whose accounts began in an object into D1 if they are named, and leaves them out of everybody", async () => {
    const born = new PersonInMove()
    await born.connects("spotify")
    await born.alarm()
    expect((await rollBack({ to: "off", everybody: true })).progress).toMatchObject({ people: 0 })
    expect(await born.row("spotify")).toMatchObject({ holder: "object" })
    const run = await rollBack({ to: "off", people: [born.id] })
    expect(run.progress).toMatchObject({ taken: 5, arrived: 1, failures: [] })
    expect(await born.row("spotify")).toMatchObject({ holder: "database", refresh_token: expect.any(String) })
    expect(await born.fingerprints()).toEqual([])
  })

  it("by the deny-list takes somebody back to off whatever else the flags say", async () => {
    const [ada = new PersonInMove()] = await settled("live", 1)
    await setPercentage("complete", 100)
    await withFlags((flags) => flags.changeMove({ denyList: { add: [ada.id] } }))
    await move({})
    expect(await stagesOf([ada])).toEqual(["off"])
  })
})

describe("The kill switch", () => {
  it("halts every step, also of a run that is under way, forward or back", async () => {
    const [ada = new PersonInMove()] = await settled("dual_write", 1)
    await aimAt("live", [ada.id])
    // Set in the middle of the run: the page that comes next takes nobody.
    const id = await begin({ people: [ada.id] })
    const halted = await resume(id, {
      before: (name) =>
        name === "pass 2, page 1" ? withFlags((flags) => flags.changeMove({ isHalted: true })) : undefined,
    })
    expect(halted).toMatchObject({
      state: "finished",
      progress: { taken: 1, arrived: 0, reason: expect.stringContaining("kill switch") },
    })
    expect((await move({ people: [ada.id] })).progress).toMatchObject({ taken: 0 })
    expect((await rollBack({ to: "off", people: [ada.id] })).progress).toMatchObject({ taken: 0 })
    expect(await stagesOf([ada])).toEqual(["shadow"])
  })
})

describe("Flags", () => {
  it("are what every page reads anew, and a row that cannot be read moves nobody", async () => {
    const [ada = new PersonInMove()] = await settled("off", 1)
    await aimAt("dual_write", [ada.id])
    await env.DB.prepare("UPDATE feature_flags SET allow_list = 'ada, grace' WHERE name = 'dual_write'").run()
    await expect(move({ people: [ada.id] })).rejects.toThrow(/feature_flags cannot be read/)
    expect(await stagesOf([ada])).toEqual(["off"])
  })

  it("change one at a time: whoever changes what somebody else has just changed is told to look again", async () => {
    await setPercentage("live", 10)
    const both = await Promise.allSettled([setPercentage("live", 20), setPercentage("live", 30)])
    const refused = both.filter(({ status }) => status === "rejected")
    expect(refused).toHaveLength(1)
    expect(String(refused[0]?.status === "rejected" && refused[0].reason)).toContain("at the same time")
  })

  it("of a stage that is not enabled count for nothing", async () => {
    const [ada = new PersonInMove()] = await settled("off", 1)
    await setPercentage("live", 100)
    await withFlags((flags) => flags.changeStage("live", { isEnabled: false }))
    expect((await move({ people: [ada.id] })).progress).toMatchObject({ people: 0, taken: 0 })
  })
})

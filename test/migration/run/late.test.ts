import { env } from "cloudflare:workers"
import { Effect, Result } from "effect"
import { describe, expect, it } from "vitest"
import { holderAt, type Stage } from "../../../src/domain/stage.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { unreachable, withControl } from "../control.ts"
import { aimAt, begin, move, positionOf, resume, rollBack } from "../driver.ts"
import { mortal } from "../mortal.ts"
import { stalled } from "../stalled.ts"

const provider = "spotify"

/** Who may refresh: what D1 says, and what the object says. */
const holders = async (person: PersonInMove) => {
  const row = await person.row(provider)
  const [inObject] = await person.fingerprints()
  return [...(row?.holder === "database" ? ["database"] : []), ...(inObject?.isHolder ? ["object"] : [])]
}

const stageOf = async (person: PersonInMove) => (await positionOf(person.id)).stage ?? "off"

/** Somebody with one grant, at a stage. */
const personAt = async (stage: Stage) => {
  const person = new PersonInMove()
  await simulator.setRotation(provider, "single-use", person.id)
  await person.hasInDatabase(provider)
  if (stage !== "off") {
    await aimAt(stage, [person.id])
    await move({ people: [person.id] })
  }
  return person
}

/** A page that takes somebody to a stage stands still at its `after`th call, while something happens. Returns whether it came to that call. */
const standStill = async (
  person: PersonInMove,
  stage: Stage,
  after: number,
  happens: (run: string) => Promise<unknown>,
) => {
  await aimAt(stage, [person.id])
  const run = await begin({ people: [person.id] })
  let isReached = false
  await resume(run, {
    bindings: stalled(after, false, async () => {
      isReached = true
      await happens(run)
    }),
  })
  return isReached
}

const cancel = (run: string, terminate?: () => Promise<void>) =>
  withControl((control) => Effect.result(control.cancel(run)), terminate)

describe("A page whose run was cancelled, and that goes on all the same", () => {
  it.each([
    ["off", "dual_write", "off", 2],
    ["shadow", "live", "off", 1],
    ["live", "shadow", "live", 1],
    ["complete", "rampdown", "complete", 2],
    ["dual_write", "off", "live", 2],
  ] as const)(
    "changes nothing from %s to %s, wherever it stood still, once others have taken the person to %s",
    async (from, to, end, every) => {
      for (let after = 1, isReached = true; isReached; after += every) {
        const person = await personAt(from)
        isReached = await standStill(person, to, after, async (run) => {
          await cancel(run)
          await aimAt(end, [person.id])
          await move({ people: [person.id] })
        })
        if (!isReached) break
        const when = `call ${after}`
        expect({ when, stage: await stageOf(person) }).toEqual({ when, stage: end })
        expect({ when, holders: await holders(person) }).toEqual({ when, holders: [holderAt(end)] })
        if (end === "off") expect({ when, copies: await person.fingerprints() }).toEqual({ when, copies: [] })
      }
    },
  )

  it("leaves nothing for a second rollback to do, and the person with one holder, once a rollback has taken its place", async () => {
    for (let after = 1, isReached = true; isReached; after++) {
      const person = await personAt("shadow")
      isReached = await standStill(person, "live", after, async (run) => {
        await cancel(run)
        await rollBack({ to: "off", people: [person.id] })
      })
      if (!isReached) break
      expect(await holders(person)).toEqual(["database"])
      expect((await rollBack({ to: "off", people: [person.id] })).progress.taken).toBe(0)
    }
  })
})

describe("A run that is cancelled", () => {
  it.each([
    ["shadow", "live"],
    ["live", "shadow"],
  ] as const)(
    "leaves nobody without a holder who was on the way from %s to %s, even if its page goes on",
    async (from, to) => {
      for (let after = 1, isReached = true; isReached; after++) {
        const person = await personAt(from)
        isReached = await standStill(person, to, after, async (run) => {
          await cancel(run)
          expect(await holders(person)).toHaveLength(1)
        })
        if (isReached) expect(await holders(person)).toHaveLength(1)
      }
    },
  )

  it("is ended again where the platform did not answer, by a second cancel or by the cron trigger", async () => {
    const person = await personAt("shadow")
    let asked = 0
    const ends = async () => {
      asked += 1
    }
    await aimAt("live", [person.id])
    for (const again of [(run: string) => cancel(run, ends), () => withControl(({ tend }) => tend, ends)]) {
      asked = 0
      const run = await begin({ people: [person.id] })
      const refused = await cancel(run, unreachable)
      expect(Result.isFailure(refused) && refused.failure._tag).toBe("ServiceUnavailable")
      const { state } = await withControl((control) => control.read(run))
      expect(state).toBe("cancelled")
      await again(run)
      expect(asked).toBe(1)
      const once = await cancel(run, ends)
      expect(Result.isFailure(once) && once.failure).toMatchObject({ _tag: "Conflict", reason: "run_cancelled" })
    }
  })
})

/** As if the process had died long ago. */
const silence = () => env.DB.exec("UPDATE migration_runs SET updated_at = 1")

describe("The cron trigger", () => {
  it.each([
    ["shadow", "live"],
    ["live", "shadow"],
  ] as const)(
    "finds whoever a dead run left on the way from %s to %s, and finishes the hand-over",
    async (from, to) => {
      for (let after = 1, isOver = false; !isOver; after++) {
        const person = await personAt(from)
        await aimAt(to, [person.id])
        const run = await begin({ people: [person.id] })
        const { life, bindings } = mortal(after, false)
        await resume(run, { bindings }).catch(() => undefined)
        isOver = !life.isOver
        await silence()
        await withControl(({ tend }) => tend)
        expect(await holders(person)).toHaveLength(1)
        await cancel(run)
      }
    },
  )

  it("leaves a run alone that is at work", async () => {
    const person = await personAt("shadow")
    await standStill(person, "live", 12, () => withControl(({ tend }) => tend))
    expect(await stageOf(person)).toBe("live")
    expect((await positionOf(person.id)).history.at(-1)).toMatchObject({ to: "live", outcome: "migrated" })
  })
})

describe("A holder that contradicts the stage", () => {
  it.each(["off", "dual_write", "shadow"] as const)("is put right at %s by the next run", async (stage) => {
    const person = await personAt("live")
    await person.isAt(stage)
    await aimAt(stage, [person.id])
    await move({ people: [person.id] })
    expect(await stageOf(person)).toBe(stage)
    expect(await holders(person)).toEqual(["database"])
    expect((await move({ people: [person.id] })).progress.taken).toBe(0)
  })

  it.each(["live", "rampdown", "complete"] as const)(
    "is put right at %s, where D1 got another account",
    async (stage) => {
      const person = await personAt(stage)
      await person.hasInDatabase("youtube")
      await move({ people: [person.id] })
      expect(await stageOf(person)).toBe(stage)
      expect((await person.row("youtube"))?.holder).toBe("object")
      expect((await person.fingerprints()).map(({ isHolder }) => isHolder)).toEqual([true, true])
      const tokens = await Promise.all([person.row("spotify"), person.row("youtube")])
      if (stage === "complete") expect(tokens.map((row) => row?.refresh_token)).toEqual([null, null])
      expect((await move({ people: [person.id] })).progress.taken).toBe(0)
    },
  )
})

import { evictDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, it } from "vitest"
import { holderAt, type Stage, stages } from "../../../src/domain/stage.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { unreachable, withControl } from "../control.ts"
import { refreshInDatabase } from "../databaseSide.ts"
import { aimAt, begin, move, positionOf, resume } from "../driver.ts"
import { mortal } from "../mortal.ts"
import { stalled } from "../stalled.ts"

/** How many orders of events are tried. */
const sequences = Number(env.SEQUENCES)

/** What is known of the person whatever pollen says: nothing but whether a move has been cut off. */
interface Model {
  isCutOff: boolean
}

const provider = "spotify"

/** Who may refresh: what D1 says, and what the object says. */
const holders = async (ada: PersonInMove) => {
  const row = await ada.row(provider)
  const [inObject] = await ada.fingerprints()
  return [...(row?.holder === "database" ? ["database"] : []), ...(inObject?.isHolder ? ["object"] : [])]
}

/** The refresh tokens that D1 and the object have, of which the provider's newest must be one. */
const keepsNewest = async (ada: PersonInMove) => {
  const { newestRefreshToken, reuses } = await simulator.tokenState(ada.id, provider)
  const kept = [(await ada.row(provider))?.refresh_token, ...(await ada.exportedRefreshTokens())]
  expect(kept).toContain(newestRefreshToken)
  expect(reuses).toBe(0)
}

const check = async (model: Model, ada: PersonInMove) => {
  const holding = await holders(ada)
  expect(holding.length).toBeLessThanOrEqual(1)
  // The calls of a run that was killed may still be on their way, and the newest token with them: what counts is where it is in the end.
  if (model.isCutOff) return
  expect(holding).toHaveLength(1)
  await keepsNewest(ada)
}

type Command = fc.AsyncCommand<Model, PersonInMove>

const command = (text: string, run: (model: Model, ada: PersonInMove) => Promise<unknown>): Command => ({
  check: () => true,
  toString: () => text,
  run: async (model, ada) => {
    await run(model, ada)
    await check(model, ada)
  },
})

const refreshHere = () => command("refresh in D1", (_model, ada) => refreshInDatabase(ada.id, provider))
const refreshThere = () => command("refresh in the object", (_model, ada) => ada.refreshTokens({ force: true }))
const setToken = () =>
  command("set a token", async (model, ada) => {
    await ada.connects(provider)
    // Whoever sets a token finds a side to hold it, and so ends a hand-over that was cut off in the middle.
    model.isCutOff = false
  })
const evict = () =>
  command("evict the object", async (_model, ada) => {
    // Only one that is running can be evicted.
    await ada.status()
    await evictDurableObject(ada.stub)
  })

/** A run that was killed counts as under way until somebody cancels it, as here, or takes it on. */
const cancelRuns = () => env.DB.exec("UPDATE migration_runs SET state = 'cancelled' WHERE state = 'running'")

const goTo = async (stage: Stage, ada: PersonInMove) => {
  await aimAt(stage, [ada.id])
  await cancelRuns()
  await move({ people: [ada.id] })
}

const moveTo = (stage: Stage) =>
  command(`move to ${stage}`, async (model, ada) => {
    await goTo(stage, ada)
    model.isCutOff = false
    expect((await positionOf(ada.id)).stage ?? "off").toBe(stage)
    expect(await holders(ada)).toEqual([holderAt(stage)])
  })

const crashOnTheWay = (stage: Stage, after: number, isAnswerLost: boolean) =>
  command(
    `move to ${stage}, killed at call ${after}${isAnswerLost ? " with its answer lost" : ""}`,
    async (model, ada) => {
      await aimAt(stage, [ada.id])
      await cancelRuns()
      await move({ people: [ada.id] }, mortal(after, isAnswerLost)).catch(() => undefined)
      model.isCutOff = true
    },
  )

/** Both sides are asked to refresh while the migrator is at work; whoever may not, says so. */
const moveAmidRefreshes = (stage: Stage) =>
  command(`move to ${stage} while both refresh`, async (model, ada) => {
    await aimAt(stage, [ada.id])
    await cancelRuns()
    await Promise.all([
      move({ people: [ada.id] }),
      refreshInDatabase(ada.id, provider),
      ada.refreshTokens({ force: true }),
    ])
    model.isCutOff = false
    await goTo(stage, ada)
    expect((await positionOf(ada.id)).stage ?? "off").toBe(stage)
  })

/** What the platform answers when it is asked to end the run's instance. */
const terminations = { ends: async () => {}, fails: unreachable }

/** A page that stands still at a call of its: it is taken for dead, and goes on when others have been at work. */
const standStill = async (
  ada: PersonInMove,
  { stage, after, isAnswerLate }: LatePage,
  happens: (run: string) => Promise<unknown>,
) => {
  await aimAt(stage, [ada.id])
  await cancelRuns()
  const run = await begin({ people: [ada.id] })
  await resume(run, { bindings: stalled(after, isAnswerLate, () => happens(run)) })
}

interface LatePage {
  readonly stage: Stage
  readonly after: number
  readonly isAnswerLate: boolean
  readonly termination: keyof typeof terminations
}

const cancelRun = (run: string, termination: keyof typeof terminations) =>
  withControl((control) => Effect.exit(control.cancel(run)), terminations[termination])

const cancelOnTheWay = (page: LatePage) =>
  command(`cancel a run on the way: ${JSON.stringify(page)}`, async (model, ada) => {
    await standStill(ada, page, async (run) => {
      await cancelRun(run, page.termination)
      expect(await holders(ada)).toHaveLength(1)
    })
    model.isCutOff = false
  })

const lateCall = (page: LatePage, end: Stage) =>
  command(`go to ${end}, and a late call of a cancelled page: ${JSON.stringify(page)}`, async (model, ada) => {
    let at = page.stage
    await standStill(ada, page, async (run) => {
      at = end
      await cancelRun(run, page.termination)
      await goTo(end, ada)
    })
    expect((await positionOf(ada.id)).stage ?? "off").toBe(at)
    expect(await holders(ada)).toEqual([holderAt(at)])
    model.isCutOff = false
  })

const cronRuns = () =>
  command("cron of the migration worker", async (model, ada) => {
    await env.DB.exec("UPDATE migration_runs SET updated_at = 1")
    await withControl(({ tend }) => tend)
    model.isCutOff = false
    expect(await holders(ada)).toHaveLength(1)
  })

const stage = fc.constantFrom<Stage>(...stages)
const latePage: fc.Arbitrary<LatePage> = fc.record({
  stage,
  after: fc.integer({ min: 1, max: 40 }),
  isAnswerLate: fc.boolean(),
  termination: fc.constantFrom("ends", "fails"),
})
const commands = fc.commands(
  [
    fc.constant(refreshHere()),
    fc.constant(refreshThere()),
    fc.constant(setToken()),
    fc.constant(evict()),
    stage.map(moveTo),
    stage.map(moveAmidRefreshes),
    fc.constant(cronRuns()),
    latePage.map(cancelOnTheWay),
    fc.tuple(latePage, stage).map((given) => lateCall(...given)),
    fc.tuple(stage, fc.integer({ min: 1, max: 90 }), fc.boolean()).map((given) => crashOnTheWay(...given)),
    fc.tuple(stage, fc.integer({ min: 1, max: 30 }), fc.boolean()).map((given) => crashOnTheWay(...given)),
  ],
  { maxCommands: 8 },
)

it("Whatever happens in whatever order, there are never two holders, one whenever no move is cut off, no refresh token is used twice and the newest is kept", {
  timeout: Number.POSITIVE_INFINITY,
}, async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (given) => {
      const ada = new PersonInMove()
      await simulator.setRotation(provider, "single-use", ada.id)
      await ada.hasInDatabase(provider)
      const model: Model = { isCutOff: false }
      await fc.asyncModelRun(() => ({ model, real: ada }), given)
      // However it was left, the next run puts it in order.
      await goTo("live", ada)
      expect(await holders(ada)).toEqual(["object"])
      await keepsNewest(ada)
      expect(await ada.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    }),
    { numRuns: sequences, endOnFailure: sequences > 100 },
  )
})

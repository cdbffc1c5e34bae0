import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bucketOf, buckets, furthestStage, type Rollout, targetOf, toRollout } from "../../src/domain/rollout.ts"
import { hasReached, type MovedStage, movedStages, nextStage, type Stage, stages } from "../../src/domain/stage.ts"

const rollout = (
  percentages: Partial<Record<MovedStage, number>>,
  given: { readonly allowed?: ReadonlyArray<string>; readonly denied?: ReadonlyArray<string>; halted?: boolean } = {},
): Rollout => {
  const flag = (stage: MovedStage) => ({ percentage: percentages[stage] ?? 0, allowList: new Set(given.allowed) })
  return {
    isHalted: given.halted ?? false,
    denyList: new Set(given.denied),
    stages: {
      dual_write: flag("dual_write"),
      shadow: flag("shadow"),
      live: flag("live"),
      rampdown: { percentage: percentages.rampdown ?? 0, allowList: new Set() },
      complete: { percentage: percentages.complete ?? 0, allowList: new Set() },
    },
  }
}

const percentage = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100)
const stage = fc.constantFrom<MovedStage>(...movedStages)

describe("A bucket", () => {
  it.each([
    ["ada", 4635],
    ["grace", 2326],
    ["user-1", 7740],
    ["user-2", 3935],
    ["ünï-ço∂é", 4696],
    ["550e8400-e29b-41d4-a716-446655440000", 2647],
  ])("of %s is %i, today and for ever", (userId, bucket) => {
    expect(bucketOf(userId)).toBe(bucket)
  })

  it("is one of 10,000, and spreads people who are numbered one after the other evenly over tenths", () => {
    const tenths = Array.from({ length: 10 }, () => 0)
    for (let index = 0; index < 20_000; index += 1) {
      const tenth = Math.floor(bucketOf(`user-${index}`) / 1000)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    for (const count of tenths) {
      expect(count).toBeGreaterThan(1800)
      expect(count).toBeLessThan(2200)
    }
  })
})

describe("A target", () => {
  it("never goes back when a percentage is raised", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        stage,
        percentage,
        percentage,
        fc.record({ shadow: percentage, live: percentage, complete: percentage }),
        (userId, raised, one, other, others) => {
          const [low, high] = [Math.min(one, other), Math.max(one, other)]
          const before = targetOf(rollout({ ...others, [raised]: low }), userId, "off")
          const after = targetOf(rollout({ ...others, [raised]: high }), userId, "off")
          expect(hasReached(after, before)).toBe(true)
        },
      ),
    )
  })

  it("holds the buckets below the percentage, for the same share of people at every stage", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), stage, percentage, (userId, wanted, share) => {
        const isIn = bucketOf(userId) < Math.round(share * 100)
        expect(targetOf(rollout({ [wanted]: share }), userId, "off")).toBe(isIn ? wanted : "off")
      }),
    )
  })

  it("is the stage itself for everybody at 100 % and for nobody at 0 %", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), stage, (userId, wanted) => {
        expect(targetOf(rollout({ [wanted]: 100 }), userId, "off")).toBe(wanted)
        expect(targetOf(rollout({}), userId, wanted)).toBe("off")
      }),
    )
  })

  it.each(movedStages)("has at its edge the bucket that equals the percentage outside: %s", (wanted) => {
    const at = (share: number, bucket: number) => furthestStage(rollout({ [wanted]: share }), bucket)
    // 0 % is nobody, not even the first; 100 % is everybody, and the last as well.
    expect(at(0, 0)).toBe("off")
    expect(at(0.01, 0)).toBe(wanted)
    expect(at(0.01, 1)).toBe("off")
    expect(at(99.99, buckets - 1)).toBe("off")
    expect(at(100, buckets - 1)).toBe(wanted)
    // The first two are not whole in binary: a little below 57, and a little above 7.
    for (const [share, edge] of [
      [0.57, 57],
      [0.07, 7],
      [46.35, bucketOf("ada")],
    ] as const) {
      expect([share, at(share, edge - 1), at(share, edge)]).toEqual([share, wanted, "off"])
    }
  })

  it("takes the allowed in at 0 %, keeps the denied out at 100 %, and moves nobody while all is halted", () => {
    expect(targetOf(rollout({}, { allowed: ["ada"] }), "ada", "off")).toBe("live")
    expect(targetOf(rollout({ complete: 100 }, { denied: ["ada"] }), "ada", "live")).toBe("off")
    for (const current of stages) {
      const halted = rollout({ complete: 100 }, { denied: ["ada"], halted: true })
      expect(targetOf(halted, "ada", current)).toBe(current)
    }
  })
})

it("A step leads to the neighbour, forward or back, and ends at the target", () => {
  fc.assert(
    fc.property(fc.constantFrom<Stage>(...stages), fc.constantFrom<Stage>(...stages), (from, to) => {
      const path: Array<Stage> = []
      for (let at: Stage | null = from; at !== null; at = nextStage(at, to)) path.push(at)
      expect(path.at(-1)).toBe(to)
      expect(path.length).toBe(Math.abs(stages.indexOf(from) - stages.indexOf(to)) + 1)
    }),
  )
})

it("a flag that is not enabled, or not there, has nobody, whatever its percentage and list say", () => {
  const off = { isEnabled: false, percentage: 100, allowList: ["ada"] }
  const { stages } = toRollout(false, [], (stage) => (stage === "live" ? off : undefined))
  expect(stages.live).toEqual({ percentage: 0, allowList: new Set() })
  expect(stages.complete).toEqual(stages.live)
})

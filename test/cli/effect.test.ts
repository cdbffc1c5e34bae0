import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concernedBy, renderEffect } from "../../src/cli/flags/effect.ts"
import { type Rollout, targetOf } from "../../src/domain/rollout.ts"
import { type MovedStage, movedStages } from "../../src/domain/stage.ts"
import type { Flags } from "../../src/migration/api/flags.ts"

const flags = (percentages: Partial<Record<MovedStage, number>>, allowed: ReadonlyArray<string> = []): Flags => ({
  isHalted: false,
  denyList: [],
  stages: movedStages.map((stage) => ({
    ...{ stage, isEnabled: percentages[stage] !== undefined, percentage: percentages[stage] ?? 0 },
    allowList: stage === "live" ? [...allowed] : [],
    updatedAt: null,
  })),
})

const rollout = (percentages: Partial<Record<MovedStage, number>>): Rollout => {
  const flag = (stage: MovedStage) => ({ percentage: percentages[stage] ?? 0, allowList: new Set<string>() })
  const [dual_write, shadow, live] = [flag("dual_write"), flag("shadow"), flag("live")]
  const stages = { dual_write, shadow, live, rampdown: flag("rampdown"), complete: flag("complete") }
  return { isHalted: false, denyList: new Set(), stages }
}

const percentage = fc.integer({ min: 0, max: 100 })

describe("Whom a change of the flags concerns", () => {
  it("is the share between two percentages, from where they were to where they should be", () => {
    expect(concernedBy(flags({ live: 10 }), flags({ live: 50 }), 1000)).toEqual([
      { from: "off", to: "live", about: 400, named: [] },
    ])
    expect(concernedBy(flags({ live: 50, complete: 20 }), flags({ live: 0, complete: 20 }), 1000)).toEqual([
      { from: "live", to: "off", about: 300, named: [] },
    ])
  })

  it("is nobody when a list names whom the percentage had already, and by name whom it had not", () => {
    // Bucket 2326: in from 23.27 % on.
    expect(concernedBy(flags({ live: 30 }), flags({ live: 30 }, ["grace"]), 1000)).toEqual([])
    expect(concernedBy(flags({ live: 10 }), flags({ live: 10 }, ["grace"]), 1000)).toEqual([
      { from: "off", to: "live", about: 0, named: ["grace"] },
    ])
  })

  it("is nobody by a flag that is not enabled", () => {
    const disabled = flags({})
    const set = { ...disabled, stages: disabled.stages.map((flag) => ({ ...flag, percentage: 100 })) }
    expect(concernedBy(disabled, set, 1000)).toEqual([])
    expect(renderEffect([], 1000)).toBe("Nobody's target changes.")
  })

  it("is about as many as the migrator would take, whatever the percentages", () => {
    const everybody = Array.from({ length: 1000 }, (_, index) => `user-${index}`)
    fc.assert(
      fc.property(fc.record({ live: percentage, rampdown: percentage }), percentage, (before, live) => {
        const after = { ...before, live }
        const moved = everybody.filter(
          (id) => targetOf(rollout(before), id, "off") !== targetOf(rollout(after), id, "off"),
        )
        const told = concernedBy(flags(before), flags(after), everybody.length)
        const about = told.reduce((sum, each) => sum + each.about, 0)
        expect(Math.abs(about - moved.length)).toBeLessThan(60)
      }),
      { numRuns: 50 },
    )
  })
})

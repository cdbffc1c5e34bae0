import { stableHash } from "./hash.ts"
import { type MovedStage, movedStages, type Stage } from "./stage.ts"

/** Buckets that people fall into: a percentage has two decimals. */
export const buckets = 10_000

/**
 * The bucket of a user id, 0 to 9,999: the stable hash of `pollen:rollout:` and the id, modulo 10,000, so that a share of people is
 * always the same people. Test vectors: test/domain/rollout.test.ts.
 */
export const bucketOf = (userId: string): number => stableHash(`pollen:rollout:${userId}`) % buckets

/** Who should be at a stage, or beyond it. */
export interface StageFlag {
  /** 0 to 100, with two decimals. */
  readonly percentage: number
  /** User ids that are in whatever the percentage. */
  readonly allowList: ReadonlySet<string>
}

/** What operators declared. */
export interface Rollout {
  /** The kill switch: while it is set nobody is taken a step further, forward or back. */
  readonly isHalted: boolean
  /** User ids that stay at `off`, or go back there. */
  readonly denyList: ReadonlySet<string>
  readonly stages: Readonly<Record<MovedStage, StageFlag>>
}

/** A stage's flag as it is set: a flag that is not enabled counts for nobody, whatever its percentage and list say. */
interface SetFlag {
  readonly isEnabled: boolean
  readonly percentage: number
  readonly allowList: ReadonlyArray<string>
}

const nobody: StageFlag = { percentage: 0, allowList: new Set() }

/** The rollout that flags describe. `find` gives the flag of a stage, if it has one. */
export const toRollout = (
  isHalted: boolean,
  denyList: ReadonlyArray<string>,
  find: (stage: MovedStage) => SetFlag | undefined,
): Rollout => {
  const flagOf = (stage: MovedStage): StageFlag => {
    const flag = find(stage)
    return flag?.isEnabled ? { percentage: flag.percentage, allowList: new Set(flag.allowList) } : nobody
  }
  return {
    isHalted,
    denyList: new Set(denyList),
    stages: {
      dual_write: flagOf("dual_write"),
      shadow: flagOf("shadow"),
      live: flagOf("live"),
      rampdown: flagOf("rampdown"),
      complete: flagOf("complete"),
    },
  }
}

/** The furthest stage whose percentage covers a bucket, or that lists the person who is in it. */
export const furthestStage = (
  { stages }: Rollout,
  bucket: number,
  isListed: (flag: StageFlag) => boolean = () => false,
): Stage => {
  const isIn = (flag: StageFlag) => isListed(flag) || bucket < Math.round((flag.percentage * buckets) / 100)
  return movedStages.findLast((stage) => isIn(stages[stage])) ?? "off"
}

/**
 * The stage at which somebody should be: the furthest that has them on its list or whose percentage covers their bucket. The
 * bucket is one for all stages, so raising a percentage drops nobody who was in, and later stages hold parts of earlier ones.
 */
export const targetOf = (rollout: Rollout, userId: string, current: Stage): Stage => {
  if (rollout.isHalted) return current
  if (rollout.denyList.has(userId)) return "off"
  return furthestStage(rollout, bucketOf(userId), ({ allowList }) => allowList.has(userId))
}

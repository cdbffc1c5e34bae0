import { buckets, furthestStage, type Rollout, targetOf, toRollout } from "../../domain/rollout.ts"
import { movedStages, type Stage } from "../../domain/stage.ts"
import type { Flags } from "../../migration/api/flags.ts"
import { people } from "../format.ts"

const rolloutOf = ({ isHalted, denyList, stages }: Flags): Rollout =>
  toRollout(isHalted, denyList, (stage) => stages.find((flag) => flag.stage === stage))

/** People whose target changes. */
export interface Concerned {
  readonly from: Stage
  readonly to: Stage
  /** People on no list: their share of everybody, so an estimate. */
  readonly about: number
  /** People on a list. */
  readonly named: ReadonlyArray<string>
}

const listed = ({ denyList, stages }: Rollout): ReadonlyArray<string> => [
  ...denyList,
  ...movedStages.flatMap((stage) => [...stages[stage].allowList]),
]

/**
 * Compares the targets that flags set before and after a change, whether the move is halted or not. Where people are now, the
 * migrator knows alone.
 */
export const concernedBy = (before: Flags, after: Flags, everybody: number): ReadonlyArray<Concerned> => {
  const one = rolloutOf({ ...before, isHalted: false })
  const other = rolloutOf({ ...after, isHalted: false })
  const shares = new Map<string, { from: Stage; to: Stage; count: number; named: Array<string> }>()
  const count = (from: Stage, to: Stage) => {
    const key = `${from} ${to}`
    const share = shares.get(key) ?? { from, to, count: 0, named: [] }
    shares.set(key, share)
    return share
  }
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const [from, to] = [furthestStage(one, bucket), furthestStage(other, bucket)]
    if (from !== to) count(from, to).count += 1
  }
  for (const userId of new Set([...listed(one), ...listed(other)])) {
    const [from, to] = [targetOf(one, userId, "off"), targetOf(other, userId, "off")]
    if (from !== to) count(from, to).named.push(userId)
  }
  return [...shares.values()].map(({ from, to, count: share, named }) => ({
    ...{ from, to, named },
    about: Math.round((share * everybody) / buckets),
  }))
}

const renderConcerned = ({ from, to, about, named }: Concerned): string => {
  const whom = [...(about > 0 ? [`about ${people(about)}`] : []), ...named]
  return `  ${from} → ${to}: ${whom.length === 0 ? "nobody yet" : whom.join(", ")}`
}

/** Renders the people whom a change concerns. */
export const renderEffect = (concerned: ReadonlyArray<Concerned>, everybody: number): string =>
  concerned.length === 0
    ? "Nobody's target changes."
    : [`New targets, of ${people(everybody)}:`, ...concerned.map(renderConcerned)].join("\n")

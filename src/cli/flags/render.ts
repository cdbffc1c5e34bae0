import { stages as everyStage } from "../../domain/stage.ts"
import type { Flags } from "../../migration/api/flags.ts"
import { renderIds } from "../operate/people.ts"
import { renderTable } from "../table.ts"

/** People at a stage now. */
export interface StageCount {
  readonly stage: string
  readonly people: number
  readonly failed: number
}

const renderHalt = ({ isHalted }: Flags): string =>
  isHalted ? "HALTED: no run takes anybody a step further, forward or back." : "Not halted."

/** Renders the target that each flag sets beside the people who are at its stage. */
export const renderFlags = (flags: Flags, counts: ReadonlyArray<StageCount>): string => {
  const rows = everyStage.map((stage) => {
    const flag = flags.stages.find((each) => each.stage === stage)
    const count = counts.find((each) => each.stage === stage)
    const [percentage, allowed] =
      stage === "off"
        ? ["", ""]
        : flag?.isEnabled
          ? [`${flag.percentage} %`, renderIds(flag.allowList)]
          : ["disabled", "–"]
    return [stage, percentage, allowed, count?.people ?? 0, count?.failed ?? 0]
  })
  return [
    renderTable(rows, ["stage", "percentage", "allowed", "people there", "failed"]),
    "",
    renderHalt(flags),
    `Denied: ${renderIds(flags.denyList)}`,
  ].join("\n")
}

const wordsOf = (flags: Flags): ReadonlyMap<string, string> =>
  new Map([
    ["halted", flags.isHalted ? "yes" : "no"],
    ["denied", renderIds(flags.denyList)],
    ...flags.stages.flatMap(
      ({ stage, isEnabled, percentage, allowList }): ReadonlyArray<[string, string]> => [
        [`${stage}`, isEnabled ? `${percentage} %` : "disabled"],
        [`${stage}, allowed`, renderIds(allowList)],
      ],
    ),
  ])

/** Renders the differences between two states of the flags. */
export const renderChange = (before: Flags, after: Flags): string => {
  const [one, other] = [wordsOf(before), wordsOf(after)]
  const rows = [...other].flatMap(([name, now]) => {
    const was = one.get(name) ?? "–"
    return was === now ? [] : [[name, was, "→", now]]
  })
  return rows.length === 0 ? "The flags are set so already." : renderTable(rows)
}

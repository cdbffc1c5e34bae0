import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { Figure, Measured } from "./figure.ts"
import { figures } from "./figures/index.ts"
import { drawFigures } from "./figuresChart.ts"

const jsonPath = new URL("report.json", import.meta.url)
const markdownPath = new URL("REPORT.md", import.meta.url)

export interface Reported extends Measured, Pick<Figure, "name" | "unit" | "limit" | "bound"> {
  readonly holds: boolean
}

export interface Report {
  /** Processor, cores, memory and versions. */
  readonly machine: string
  readonly commit: string
  readonly figures: ReadonlyArray<Reported>
}

/** Figures measured earlier stay, unless they are measured anew or no longer exist. */
export const merge = (measured: Report): Report => {
  const earlier: ReadonlyArray<Reported> = existsSync(jsonPath)
    ? JSON.parse(readFileSync(jsonPath, "utf8")).figures
    : []
  const merged = figures.flatMap(({ name }) => {
    const isOf = (reported: Reported) => reported.name === name
    const found = measured.figures.find(isOf) ?? earlier.find(isOf)
    return found === undefined ? [] : [found]
  })
  return { ...measured, figures: merged }
}

export const boundInWords = ({ bound, limit }: Pick<Figure, "bound" | "limit">): string =>
  `${bound === "atMost" ? "at most" : "at least"} ${limit}`

const markdown = ({ machine, commit, figures: reported }: Report, chart: string): string => {
  const rows = reported.map(
    (figure) =>
      `| ${figure.name} | ${figure.value} | ${boundInWords(figure)} | ${figure.holds ? "holds" : "**falls short**"} |`,
  )
  const sections = reported.map((figure) => {
    const says = figures.find(({ name }) => name === figure.name)?.says ?? ""
    return `## ${figure.name}: ${figure.value} ${figure.unit}\n\n${says}\n\nMeasured: ${figure.how}.\n`
  })
  return `# What pollen costs

Written by \`npm run bench\`; \`report.json\` has every sample. Commit ${commit}, on ${machine}.
Counts are exact. Times are medians of rounds run by turns on one machine; compare the ratios, not the milliseconds.

| figure | value | limit | |
| --- | --- | --- | --- |
${rows.join("\n")}

${chart}

${sections.join("\n")}`
}

export const write = async (report: Report): Promise<void> => {
  writeFileSync(jsonPath, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(markdownPath, markdown(report, await drawFigures(report.figures)))
}

import { writeChart } from "../chart.ts"

/** Hours from publication to the look that finds an item, of one policy and the sources of one class. */
export interface Delays {
  readonly class: string
  readonly policy: string
  readonly mean: number
  readonly median: number
  readonly p95: number
}

const measures = ["mean", "median", "p95"] as const

/** Draws the delays of all policies by class, each measure on a scale of its own. Returns the link as Markdown. */
export const drawDelays = (delays: ReadonlyArray<Delays>, looks: number): Promise<string> =>
  writeChart("policy", "Delay by class of sources and policy", {
    title: `Hours from publication to the look that finds it, at ${looks} looks of a source a day: shorter is better`,
    data: {
      values: delays.flatMap((one) =>
        measures.map((measure) => ({ class: one.class, policy: one.policy, measure, hours: one[measure] })),
      ),
    },
    facet: { column: { field: "measure", type: "nominal", sort: [...measures], title: null } },
    spec: {
      width: 260,
      mark: "bar",
      encoding: {
        y: { field: "class", type: "nominal", sort: null, title: null },
        yOffset: { field: "policy", type: "nominal", sort: null },
        x: { field: "hours", type: "quantitative", title: "hours" },
        color: { field: "policy", type: "nominal", sort: null, title: null },
      },
    },
    resolve: { scale: { x: "independent" } },
  })

import { writeChart } from "./chart.ts"
import type { Reported } from "./report.ts"

/** What part of its limit a figure takes: above 1 it falls short. Where the limit is 0, a count is its own part. */
const partOfLimit = ({ value, limit, bound }: Pick<Reported, "value" | "limit" | "bound">): number => {
  if (bound === "atLeast") return limit / value
  return limit === 0 ? value : value / limit
}

/** A figure that is far from its limit must not make the others too short to read. */
const longest = 3

const color = { scale: { domain: ["holds", "falls short"], range: ["#4c78a8", "#e45756"] }, title: null }

/** Draws every figure as a part of its limit. Returns the link as Markdown. */
export const drawFigures = (reported: ReadonlyArray<Reported>): Promise<string> =>
  writeChart("figures", "What part of its limit each figure takes", {
    title: "Parts of the limits that the figures take: shorter is better, 1 is the limit",
    data: {
      values: reported.map((figure) => ({
        figure: figure.name,
        part: Math.min(partOfLimit(figure), longest),
        verdict: figure.holds ? "holds" : "falls short",
      })),
    },
    width: 480,
    layer: [
      {
        mark: "bar",
        encoding: {
          y: { field: "figure", type: "nominal", sort: null, title: null, axis: { labelLimit: 400 } },
          x: { field: "part", type: "quantitative", title: `value over limit, no longer than ${longest}` },
          color: { field: "verdict", type: "nominal", ...color },
        },
      },
      { mark: { type: "rule", strokeDash: [4, 4] }, encoding: { x: { datum: 1 } } },
    ],
  })

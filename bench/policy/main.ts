import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { type Delays, drawDelays } from "./chart.ts"
import { type PolicyName, policies } from "./policies.ts"
import { type Replayed, replay, summarise } from "./replay.ts"
import { makeTraces, traceOf } from "./traces.ts"

const usage = `Replays how sources publish, and compares when they are looked at: equally often in sum, by each policy.

  npm run bench -- policy                    sources of seven classes
  npm run bench -- policy --looks N          looks of a source a day, 3 by default
  npm run bench -- policy --seed N           other sources; those up to 9 were used to tune pollen's policy
  npm run bench -- policy --trace FILE       a source of your own: a line for each publication (epoch milliseconds or ISO 8601)

Hours from publication to the look that finds an item: mean, median and 95th percentile, by class; drawn in bench/charts/policy.svg. "bound" knows the true rates.
`

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "policy"),
  options: {
    looks: { type: "string", default: "3" },
    seed: { type: "string", default: "10" },
    trace: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const [looks, seed] = [Number(values.looks), Number(values.seed)]
if (!(looks > 0) || !Number.isInteger(seed)) {
  process.stderr.write(`--looks is a number above 0, and --seed a whole one.\n\n${usage}`)
  process.exit(2)
}
const traces = values.trace === undefined ? makeTraces(seed, 30) : [traceOf(readFileSync(values.trace, "utf8"))]
const names = Object.keys(policies).filter((name): name is PolicyName => name in policies)
const results = new Map<PolicyName, ReadonlyArray<Replayed>>()
for (const name of names) {
  process.stderr.write(`replaying ${name}\n`)
  results.set(name, replay(traces, policies[name], looks))
}
const classes = [...new Set(traces.map(({ name }) => name)), "all"]
const delays: Array<Delays> = []
const cell = (value: number) => value.toFixed(2).padStart(8)
for (const of of classes) {
  process.stdout.write(`\n${of.padEnd(14)}    mean  median     p95   looks a day\n`)
  for (const [name, replayed] of results) {
    const { mean, median, p95, looksADay } = summarise(
      of === "all" ? replayed : replayed.filter((one) => one.name === of),
    )
    delays.push({ class: of, policy: name, mean, median, p95 })
    process.stdout.write(`  ${name.padEnd(12)}${cell(mean)}${cell(median)}${cell(p95)}${cell(looksADay)}\n`)
  }
}
if (values.trace === undefined) {
  await drawDelays(delays, looks)
  process.stdout.write("\nDrawn by class in bench/charts/policy.svg\n")
}

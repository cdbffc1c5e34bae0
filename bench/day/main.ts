import { parseArgs } from "node:util"
import { simulateDays } from "./simulate.ts"

process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false"

const usage = `Lets days pass for a person with 20 shows and 20 channels, and prints as JSON what one costs.

  npm run bench:day                  3 days
  npm run bench:day -- --days N      so many, after those that pass before anything is counted
  npm run bench:day -- --seed N      other times of publication
  npm run bench:day -- --feeds-out N hours of each day without the feeds of any channel
`

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    "feeds-out": { type: "string", default: "0" },
    help: { type: "boolean", short: "h", default: false },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const quantile = (values: ReadonlyArray<number>, part: number) =>
  values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) * part)] ?? 0
const isTerminal = process.stderr.isTTY === true
let said = ""
const day = await simulateDays({
  seed: Number(values.seed),
  days: Number(values.days),
  hoursWithoutFeeds: Number(values["feeds-out"]),
  tell: (text) => {
    if (text !== said) process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
    said = text
  },
})
const delays = Object.fromEntries(
  Object.entries(day.delays).map(([name, all]) => [
    name,
    {
      items: all.length,
      meanHours: all.reduce((sum, one) => sum + one, 0) / all.length,
      p95Hours: quantile(all, 0.95),
    },
  ]),
)
process.stdout.write(`${JSON.stringify({ ...day, delays }, null, 2)}\n`)

import { execFileSync } from "node:child_process"
import { cpus, totalmem } from "node:os"
import { parseArgs } from "node:util"
import { faults } from "./faults/main.ts"
import { type Figure, holds } from "./figure.ts"
import { figures } from "./figures/index.ts"
import { load } from "./load/main.ts"
import { endProgress, progress, say } from "./progress.ts"
import { boundInWords, merge, type Reported, write } from "./report.ts"
import { openStage } from "./stage.ts"

// The workers ask nobody but the simulator; where there is no network, wrangler would say so.
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false"

const usage = `Measures what pollen costs and writes bench/report.json and bench/REPORT.md.

  npm run bench                     every figure
  npm run bench -- --only NAME      one figure (may be repeated); the others stay as last measured
  npm run bench -- --quick          fewer rounds: below 50 s a figure
  npm run bench -- policy           when sources are looked at, against other rules (policy --help)
  npm run bench -- faults           random sequences of faults; its own --help tells the options
  npm run bench -- load             many people at once; its own --help tells the options
  npm run bench -- --help           this text

Figures:
${figures.map((figure) => `  ${figure.name.padEnd(42)} ${boundInWords(figure)} ${figure.unit}`).join("\n")}

Exit code: 0 if every figure measured holds, 1 if one falls short or cannot be measured, 2 if the arguments are wrong.
`

const gitCommit = () => execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim()

const machine = () => {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${first?.model.trim()}, ${cpus().length} cores, ${memory} GiB, ${process.platform}, Node ${process.version}`
}

const wantedFigures = (only: ReadonlyArray<string>): ReadonlyArray<Figure> => {
  const unknown = only.filter((name) => !figures.some((figure) => figure.name === name))
  if (unknown.length > 0) {
    process.stderr.write(`There is no figure ${unknown.join(", ")}.\n\n${usage}`)
    process.exit(2)
  }
  return only.length === 0 ? figures : figures.filter(({ name }) => only.includes(name))
}

const readArguments = () => {
  try {
    return parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values
  } catch (problem) {
    process.stderr.write(`${problem instanceof Error ? problem.message : problem}\n\n${usage}`)
    return process.exit(2)
  }
}

if (process.argv[2] === "policy") {
  await import("./policy/main.ts")
  process.exit(0)
}
if (process.argv[2] === "load") process.exit(await load(process.argv.slice(3)))
if (process.argv[2] === "faults") process.exit(await faults(process.argv.slice(3)))
const values = readArguments()
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const wanted = wantedFigures(values.only)
say("Starting the workers and the simulator of the providers.")
const stage = await openStage()
process.once("SIGINT", () => void stage.close().finally(() => process.exit(130)))

const measured: Array<Reported> = []
let isShort = false
for (const figure of wanted) {
  const { name, unit, limit, bound } = figure
  const startedAt = performance.now()
  try {
    const result = await figure.measure(stage, { isQuick: values.quick, tell: progress(name) })
    const isHeld = holds(result.value, figure)
    measured.push({
      name,
      value: result.value,
      unit,
      limit,
      bound,
      holds: isHeld,
      how: result.how,
      samples: result.samples,
    })
    isShort ||= !isHeld
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
    endProgress()
    say(
      `${isHeld ? "holds      " : "FALLS SHORT"}  ${name}: ${result.value} ${unit} (${boundInWords(figure)}), ${seconds} s`,
    )
  } catch (problem) {
    isShort = true
    say(`NOT MEASURED ${name}: ${problem instanceof Error ? problem.message : problem}`)
    for (const line of stage.logs().slice(-5)) say(`  ${line}`)
  }
}
await stage.close()
await write(merge({ machine: machine(), commit: gitCommit(), figures: measured }))
say("bench/report.json and bench/REPORT.md are written")
process.exit(isShort ? 1 : 0)

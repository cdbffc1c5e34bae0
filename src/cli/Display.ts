import { Clock, Context, Effect, Layer } from "effect"
import { CliOutput } from "effect/cli"
import { type Colours, coloursOf } from "./colour.ts"
import { columnsOf, cut, type Output, pad, wrap, wrapLine } from "./terminal.ts"

const widestBar = 24
const narrowestBar = 4
const nameWidth = 24
/** Milliseconds between two plain lines of one phase. */
const plainEveryMs = 1000
const usualRows = 24

export interface Phase {
  /** The same words for as long as the phase lasts. */
  readonly name: string
  readonly done: number
  readonly total: number
  readonly note?: string
  /** Lines below the bar; they may change with every call. */
  readonly details?: ReadonlyArray<string>
}

/** A line that tells of success is green where the stream has colours. */
export type Tone = "good"

/** Renders the bar and its numbers on one line at any width; the note follows where there is room, or goes below. */
const renderBar = ({ name, done, total, note = "" }: Phase, width: number, { green, dim }: Colours) => {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const numbers = `${done}/${total}`
  const isWide = nameWidth + 1 + widestBar + 1 + numbers.length <= width
  const spare = width - CliOutput.displayWidth(name) - numbers.length - 2
  const barWidth = isWide ? widestBar : Math.max(narrowestBar, Math.min(widestBar, spare))
  const label = isWide ? pad(name, nameWidth) : cut(name, Math.max(1, width - numbers.length - 2 - barWidth))
  const filled = Math.floor(share * barWidth)
  const full = "█".repeat(filled)
  const head = `${label} ${share === 1 ? green(full) : full}${"░".repeat(barWidth - filled)} ${numbers}`
  if (note === "") return [head]
  const isBeside = CliOutput.displayWidth(head) + 2 + CliOutput.displayWidth(note) <= width
  return isBeside ? [`${head}  ${dim(note)}`] : [head, ...wrapLine(`  ${note}`, width).map(dim)]
}

/** Renders a phase for a terminal: no line wraps and none scrolls away, since neither could be drawn over. */
const render = (phase: Phase, stream: Output, colours: Colours): ReadonlyArray<string> => {
  const width = columnsOf(stream) - 1
  const details = (phase.details ?? []).flatMap((detail) => wrapLine(detail, width)).map((line) => cut(line, width))
  return [...renderBar(phase, width, colours), ...details].slice(0, Math.max(1, (stream.rows || usualRows) - 1))
}

const renderPlain = ({ name, done, total, note = "", details = [] }: Phase): string => {
  const remarks = [note, ...details.map((detail) => detail.trim())].filter((remark) => remark !== "")
  return `${name}: ${done}/${total}${remarks.length === 0 ? "" : ` (${remarks.join("; ")})`}`
}

/** Shows a run: bars that are redrawn on a terminal, plain lines elsewhere. */
export class Display extends Context.Service<
  Display,
  {
    /** Shows a text; a terminal wraps it between words, except for lines that begin with four spaces. */
    readonly line: (text: string, tone?: Tone) => Effect.Effect<void>
    /** Shows how far a phase is; its last call has `done` equal to `total`, or another phase follows. */
    readonly progress: (phase: Phase) => Effect.Effect<void>
  }
>()("pollen/cli/Display") {
  static readonly layer = (stream: Output): Layer.Layer<Display> =>
    Layer.sync(Display, () => {
      const isTerminal = stream.isTTY === true
      const colours = coloursOf(stream)
      const open = { phase: "", lines: 0 }
      const plain = { name: "", at: 0, text: "" }
      const close = () => {
        if (isTerminal && open.lines > 0) stream.write("\n")
        Object.assign(open, { phase: "", lines: 0 })
      }
      const redraw = (phase: Phase) => {
        if (open.phase !== phase.name) close()
        const lines = render(phase, stream, colours)
        const up = open.lines > 1 ? `\u001b[${open.lines - 1}A` : ""
        stream.write(`\r${up}\u001b[J${lines.join("\n")}`)
        Object.assign(open, { phase: phase.name, lines: lines.length })
      }
      const write = (phase: Phase, now: number) => {
        const text = renderPlain(phase)
        const isFirst = plain.name !== phase.name
        if (text === plain.text || !(isFirst || phase.done === phase.total || now - plain.at >= plainEveryMs)) return
        Object.assign(plain, { name: phase.name, at: now, text })
        stream.write(`${text}\n`)
      }
      return {
        line: (text, tone) =>
          Effect.sync(() => {
            close()
            const lines = wrap(text, columnsOf(stream))
            stream.write(`${tone === "good" ? colours.green(lines) : lines}\n`)
          }),
        progress: (phase) =>
          Effect.map(Clock.currentTimeMillis, (now) => (isTerminal ? redraw(phase) : write(phase, now))),
      }
    })
}

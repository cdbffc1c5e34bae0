import { Clock, Context, Effect, Layer } from "effect"

const barWidth = 24
/** Between two plain lines of the same phase, in milliseconds. */
const plainEveryMs = 1000

export interface Phase {
  /** The same words for as long as the phase lasts. */
  readonly name: string
  readonly done: number
  readonly total: number
  readonly note?: string
  /** Lines below the bar; they may change with every call. */
  readonly details?: ReadonlyArray<string>
}

const render = ({ name, done, total, note = "" }: Phase): string => {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * barWidth)
  const bar = "█".repeat(filled) + "░".repeat(barWidth - filled)
  return `${name.padEnd(24)} ${bar} ${done}/${total}${note === "" ? "" : `  ${note}`}`
}

const renderPlain = ({ name, done, total, note = "", details = [] }: Phase): string => {
  const remarks = [note, ...details.map((detail) => detail.trim())].filter((remark) => remark !== "")
  return `${name}: ${done}/${total}${remarks.length === 0 ? "" : ` (${remarks.join("; ")})`}`
}

/** Where it is shown: stdout or stderr. */
interface Output {
  readonly isTTY?: boolean
  /** Characters to a line; of a terminal. */
  readonly columns?: number
  write(text: string): unknown
}

/** How a run shows itself: bars that are redrawn on a terminal, plain lines elsewhere. */
export class Display extends Context.Service<
  Display,
  {
    readonly line: (text: string) => Effect.Effect<void>
    /** How far a phase is; its last call has `done` equal to `total`, or another phase follows. */
    readonly progress: (phase: Phase) => Effect.Effect<void>
  }
>()("pollen/cli/Display") {
  static readonly layer = (stream: Output): Layer.Layer<Display> =>
    Layer.sync(Display, () => {
      const isTerminal = stream.isTTY === true
      const open = { phase: "", lines: 0 }
      const plain = { name: "", at: 0, text: "" }
      const close = () => {
        if (isTerminal && open.lines > 0) stream.write("\n")
        Object.assign(open, { phase: "", lines: 0 })
      }
      const redraw = (phase: Phase) => {
        if (open.phase !== phase.name) close()
        // Without wrapping: a bar that takes two lines cannot be redrawn in place.
        const lines = [render(phase), ...(phase.details ?? [])].map((line) =>
          line.slice(0, (stream.columns || 100) - 1),
        )
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
        line: (text) =>
          Effect.sync(() => {
            close()
            stream.write(`${text}\n`)
          }),
        progress: (phase) =>
          Effect.map(Clock.currentTimeMillis, (now) => (isTerminal ? redraw(phase) : write(phase, now))),
      }
    })
}

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
}

const render = ({ name, done, total, note = "" }: Phase): string => {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * barWidth)
  const bar = "█".repeat(filled) + "░".repeat(barWidth - filled)
  return `${name.padEnd(24)} ${bar} ${done}/${total}${note === "" ? "" : `  ${note}`}`
}

const renderPlain = ({ name, done, total, note = "" }: Phase): string =>
  `${name}: ${done}/${total}${note === "" ? "" : ` (${note})`}`

/** How a run shows itself: bars that are redrawn on a terminal, plain lines elsewhere. */
export class Display extends Context.Service<
  Display,
  {
    readonly line: (text: string) => Effect.Effect<void>
    /** How far a phase is; its last call has `done` equal to `total`, or another phase follows. */
    readonly progress: (phase: Phase) => Effect.Effect<void>
  }
>()("pollen/cli/Display") {
  static readonly layer = (stream: NodeJS.WriteStream): Layer.Layer<Display> =>
    Layer.sync(Display, () => {
      const isTerminal = stream.isTTY === true
      let openPhase = ""
      const plain = { name: "", at: 0, text: "" }
      const close = () => {
        if (isTerminal && openPhase !== "") stream.write("\n")
        openPhase = ""
      }
      const redraw = (phase: Phase) => {
        if (openPhase !== phase.name) close()
        openPhase = phase.name
        // Without wrapping: a bar that takes two lines cannot be redrawn in place.
        stream.write(`\r\u001b[2K${render(phase).slice(0, (stream.columns || 100) - 1)}`)
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

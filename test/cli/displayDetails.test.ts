import { PassThrough } from "node:stream"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Display, type Phase } from "../../src/cli/Display.ts"

const phase = (done: number, details: ReadonlyArray<string>): Phase => ({ name: "moving", done, total: 2, details })

/** What is written while a run shows itself, and then says that it is over. */
const write = (isTerminal: boolean, phases: ReadonlyArray<Phase>): string => {
  const stream = Object.assign(new PassThrough(), { isTTY: isTerminal, columns: 80 })
  const show = Effect.gen(function* () {
    const display = yield* Display
    for (const each of phases) yield* display.progress(each)
    yield* display.line("over")
  })
  Effect.runSync(Effect.provide(show, Display.layer(stream)))
  return String(stream.read())
}

/** The lines that a terminal shows after this. Knows the few sequences that there are. */
const screen = (written: string): ReadonlyArray<string> => {
  const lines = [""]
  let row = 0
  for (const [part] of written.replaceAll("\u001b[", "␛").matchAll(/␛\d*[AJ]|\r|\n|[^␛\r\n]+/g)) {
    if (part === "\n") row += 1
    else if (/^␛\d*A$/.test(part)) row -= Number(part.slice(1, -1))
    else if (part === "␛J") lines.splice(row)
    else if (part !== "\r") lines[row] = part
  }
  return lines.slice(0, lines.findLastIndex((line) => line !== "" && line !== undefined) + 1)
}

describe("The display", () => {
  it("draws a bar and the lines below it again in their place on a terminal", () => {
    const shown = screen(
      write(true, [phase(0, ["  one", "  two"]), phase(1, ["  three"]), phase(2, ["  four", "  five"])]),
    )
    expect(shown).toEqual([expect.stringMatching(/^moving +█{24} 2\/2$/), "  four", "  five", "over"])
  })

  it("cuts a line that would wrap, since what takes two lines is not drawn over", () => {
    const [bar, detail] = screen(write(true, [phase(1, ["x".repeat(200)])]))
    expect(bar?.length).toBeLessThan(80)
    expect(detail).toHaveLength(79)
  })

  it("says the same in one plain line where there is no terminal", () => {
    expect(write(false, [phase(1, ["  one", "  two"])])).toBe("moving: 1/2 (one; two)\nover\n")
  })
})

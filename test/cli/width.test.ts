import { PassThrough } from "node:stream"
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { CliOutput, Command, type HelpDoc } from "effect/cli"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { coloursOf } from "../../src/cli/colour.ts"
import { Display } from "../../src/cli/Display.ts"
import { renderHelp } from "../../src/cli/help.ts"
import { pollen } from "../../src/cli/pollen.ts"
import { renderTable } from "../../src/cli/table.ts"
import { cut, pad, wrap } from "../../src/cli/terminal.ts"

const { displayWidth } = CliOutput
const lines = (text: string) => text.split("\n")
const plain = coloursOf({ isTTY: false }, {})

describe("A narrow terminal", () => {
  it("wraps text between words, keeps the indent, and keeps a command in backticks whole", () => {
    expect(wrap("  Nobody is in the way: everybody is complete", 24)).toBe(
      "  Nobody is in the way:\n  everybody is complete",
    )
    expect(wrap("The run is paused; `npm run pollen -- migrate resume` continues it.", 40)).toBe(
      "The run is paused;\n`npm run pollen -- migrate resume`\ncontinues it.",
    )
    expect(wrap("    curl http://127.0.0.1:8787/v1/status and so on", 20)).toHaveLength(50)
  })

  it("loses no word and widens no line, whatever the text", () => {
    const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", "b", "é", "日", "👍") })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 24, max: 80 }), (words, width) => {
        const wrapped = wrap(words.join(" "), width)
        expect(wrapped.split(/\s/)).toEqual(words)
        for (const line of lines(wrapped)) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      }),
    )
  })

  it("wraps the cells of a table whose columns fit beside each other otherwise", () => {
    const rows = [
      ["ada", "not_the_same", "the fingerprints of the access token differ"],
      ["grace", "held_by_object", "D1 says that it holds, and so does the object"],
    ]
    const table = lines(renderTable(rows, ["user", "reason", "detail"], 60))
    expect(table.every((line) => displayWidth(line) <= 60)).toBe(true)
    const from = table[0]?.indexOf("detail") ?? -1
    expect(table[1]?.slice(from)).toBe("the fingerprints of the access")
    expect(table[2]).toBe(`${" ".repeat(from)}token differ`)
  })

  it("shows a row as lines of its own where the columns do not fit", () => {
    const rows = [["0a1b2c3d-0a1b-4c2d-8e3f-0123456789ab", "move", "2026-05-31T08:00:00Z", 12]]
    expect(lines(renderTable(rows, ["run", "kind", "started", "people"], 60))).toEqual([
      "  run      0a1b2c3d-0a1b-4c2d-8e3f-0123456789ab",
      "  kind     move",
      "  started  2026-05-31T08:00:00Z",
      "  people   12",
    ])
  })

  it("shows a name and its value on one line where that fits, when a value elsewhere does not", () => {
    expect(
      lines(
        renderTable(
          [
            ["user", "ada"],
            ["object", "a".repeat(64)],
          ],
          [],
          40,
        ),
      ),
    ).toEqual(["  user  ada", "  object", `    ${"a".repeat(64)}`])
  })

  it.each([40, 80])("wraps the help of every command at %d columns", async (width) => {
    const helps: Array<HelpDoc.HelpDoc> = []
    const presenter = CliOutput.layerPresenter({
      present: (event) => Effect.sync(() => (event._tag === "Help" ? helps.push(event.helpDoc) : 0)),
    })
    for (const path of [[], ["flags", "set"], ["rollback"], ["migrate"], ["export"], ["contract"]]) {
      const run = Command.runWith(pollen, { version: "0" })([...path, "--help"])
      await Effect.runPromise(run.pipe(Effect.provide(presenter), Effect.provide(NodeServices.layer)))
    }
    expect(helps).toHaveLength(6)
    // The former names work, and help names the new ones alone.
    expect(helps.map((help) => renderHelp(help, width, plain)).join("\n")).not.toMatch(/\b(lift|intake)\b/)
    for (const help of helps) {
      const [beforeExamples = ""] = renderHelp(help, width, plain).split("\n\nEXAMPLES\n")
      for (const line of lines(beforeExamples)) {
        // A value that has no space in it cannot be wrapped.
        if (line.trim().includes(" ")) expect(`${displayWidth(line) <= width} ${line}`).toBe(`true ${line}`)
      }
    }
  })
})

describe("Wide characters", () => {
  it("align in a table by the cells that they take", () => {
    const rows = [
      ["日本語", "a"],
      ["👍🏽", "b"],
      ["e\u0301", "c"],
    ]
    const starts = lines(renderTable(rows, [], 80)).map((line) => displayWidth(line.slice(0, -1)))
    expect(new Set(starts)).toEqual(new Set([10]))
  })

  it("are cut and filled whole", () => {
    expect(cut("日本語日本語", 7)).toBe("日本語…")
    expect(pad("日本", 6)).toBe("日本  ")
    expect(pad("日本", 6, "left")).toBe("  日本")
  })
})

describe("Colours", () => {
  const terminal = { isTTY: true }
  const red = (stream: { isTTY: boolean }, environment: NodeJS.ProcessEnv) => coloursOf(stream, environment).red("x")

  it("are there on a terminal, unless NO_COLOR says otherwise; FORCE_COLOR has them elsewhere", () => {
    const painted = "\u001b[31mx\u001b[0m"
    expect(red(terminal, {})).toBe(painted)
    expect(red({ isTTY: false }, {})).toBe("x")
    expect(red(terminal, { NO_COLOR: "1" })).toBe("x")
    expect(red(terminal, { NO_COLOR: "" })).toBe(painted)
    expect(red(terminal, { TERM: "dumb" })).toBe("x")
    expect(red({ isTTY: false }, { FORCE_COLOR: "1" })).toBe(painted)
    expect(red(terminal, { FORCE_COLOR: "0" })).toBe("x")
    expect(red(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe("x")
  })

  it("take no room: a full bar is as long in green", async () => {
    const { NO_COLOR, FORCE_COLOR } = process.env
    Object.assign(process.env, { NO_COLOR: "", FORCE_COLOR: "1" })
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 40 })
    const show = Effect.flatMap(Display, ({ progress }) =>
      progress({ name: "moving", done: 2, total: 2, note: "steps" }),
    )
    await Effect.runPromise(Effect.provide(show, Display.layer(stream)))
    Object.assign(process.env, { NO_COLOR: NO_COLOR ?? "", FORCE_COLOR: FORCE_COLOR ?? "" })
    const written = String(stream.read())
    expect(written).toContain("\u001b[32m█")
    for (const line of lines(written)) expect(displayWidth(line)).toBeLessThan(40)
  })
})

import { PassThrough } from "node:stream"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Display } from "../../src/cli/Display.ts"

/** What is written for a run of two phases, to a stream that is a terminal or not. */
const written = async (isTTY: boolean) => {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 40 })
  const chunks: Array<string> = []
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()))
  const show = Effect.gen(function* () {
    const { line, progress } = yield* Display
    yield* line("begins")
    for (const done of [0, 1, 2, 3, 4])
      yield* progress({ name: "first", done, total: 4, note: "a remark that is long" })
    yield* progress({ name: "second", done: 2, total: 2 })
    yield* line("ends")
  })
  await Effect.runPromise(Effect.provide(show, Display.layer(stream as unknown as NodeJS.WriteStream)))
  return chunks.join("")
}

describe("a run shows how far it is", () => {
  it("on a terminal by a bar for each phase, redrawn in place and never wider than the terminal", async () => {
    const text = await written(true)
    const lines = text.split("\n")
    expect(lines).toHaveLength(5)
    expect(lines[0]).toBe("begins")
    const drawn = (lines[1] ?? "").split("\r\u001b[J").slice(1)
    expect(drawn).toHaveLength(5)
    expect(drawn[0]).toContain("░")
    expect(drawn.every((bar) => bar.length < 40)).toBe(true)
    expect(lines[2]).toMatch(/second +█+/)
    expect(lines[3]).toBe("ends")
  })

  it("elsewhere by plain lines, a few for each phase, its end among them", async () => {
    const text = await written(false)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
    expect(text).not.toMatch(/[\u001b\r█░]/)
    expect(text.split("\n")).toEqual([
      "begins",
      "first: 0/4 (a remark that is long)",
      "first: 4/4 (a remark that is long)",
      "second: 2/2",
      "ends",
      "",
    ])
  })
})

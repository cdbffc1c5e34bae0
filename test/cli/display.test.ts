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
  it("on a terminal by a bar for each phase, redrawn in place, with its numbers however narrow the terminal is", async () => {
    const text = await written(true)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor
    const drawn = text.split(/\r(?:\u001b\[1A)?\u001b\[J/)
    expect(drawn).toHaveLength(7)
    expect(drawn[0]).toBe("begins\n")
    expect(drawn[1]).toMatch(/^first ░{24} 0\/4\n {2}a remark that is long$/)
    expect(drawn[5]).toMatch(/^first █{24} 4\/4\n {2}a remark that is long\n$/)
    expect(drawn[6]).toMatch(/^second █{24} 2\/2\nends\n$/)
    for (const line of drawn.flatMap((each) => each.split("\n"))) expect(line.length).toBeLessThan(40)
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

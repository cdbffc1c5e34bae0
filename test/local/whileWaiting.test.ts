import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { expect, it } from "vitest"
import { type Output, whileWaiting } from "../../local/stack/whileWaiting.ts"

/** What is written while something takes twelve seconds. */
const written = async (output: Omit<Output, "write">) => {
  const all: Array<string> = []
  let phase = "building"
  const shown = whileWaiting({ ...output, write: (text) => all.push(text) }, () => phase, Effect.sleep("12 seconds"))
  const program = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(shown)
    yield* TestClock.adjust("7 seconds")
    phase = "starting"
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(fiber)
  })
  await Effect.runPromise(Effect.provide(program, TestClock.layer()))
  return all
}

it("what is waited for is told in a line every five seconds, where there is no terminal", async () => {
  expect(await written({})).toEqual(["building, 5 s\n", "starting, 10 s\n"])
})

it("what is waited for is one line of a terminal, redrawn every second, no wider than it, and gone at the end", async () => {
  const lines = await written({ isTTY: true, columns: 10 })
  expect(lines.slice(0, 2)).toEqual(["\r\u001b[Kbuilding,", "\r\u001b[Kbuilding,"])
  expect(lines).toHaveLength(13)
  expect(lines.at(-1)).toBe("\r\u001b[K")
})

import { inspect } from "node:util"
import { vi } from "vitest"
import { seen } from "./traces.ts"

const channels = ["debug", "error", "info", "log", "trace", "warn"] as const

/** Everything that is logged from now on: tests and objects share the isolate, and with it the console. */
export const captureLogs = () => {
  const lines: Array<string> = []
  const spies = channels.map((channel) =>
    vi.spyOn(console, channel).mockImplementation((...values: ReadonlyArray<unknown>) => {
      const text = (value: unknown) =>
        typeof value === "string" ? value : inspect(value, { depth: 20, showHidden: true })
      const line = values.map(text).join(" ")
      lines.push(line)
      seen.push(line)
    }),
  )
  return {
    text: () => lines.join("\n"),
    [Symbol.dispose]: () => {
      for (const spy of spies) spy.mockRestore()
    },
  }
}

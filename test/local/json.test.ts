import { execFileSync } from "node:child_process"
import { expect, it } from "vitest"

const readable = (input: string) => execFileSync(process.execPath, ["local/json.ts"], { input, encoding: "utf8" })

it("JSON is indented for a person", () => {
  expect(readable('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}\n')
})

it("what is no JSON is printed as it came", () => {
  expect(readable("nobody answers\n")).toBe("nobody answers\n")
})

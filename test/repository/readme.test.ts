import { readFileSync } from "node:fs"
import { expect, it } from "vitest"

it("the RPC example of the README is the one that compiles", () => {
  expect(readFileSync("README.md", "utf8")).toContain(readFileSync("docs/call-by-rpc.ts", "utf8"))
})

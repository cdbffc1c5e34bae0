import { tmpdir } from "node:os"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { checkDiskSpace } from "../../local/stack/diskSpace.ts"
import { toCannotStart } from "../../src/cli/state/error.ts"

describe("a disk that is full", () => {
  it("is noticed before anything is started, and the sentence says where and how much room is needed", async () => {
    await Effect.runPromise(checkDiskSpace(tmpdir(), 1))
    const error = await Effect.runPromise(Effect.flip(checkDiskSpace(tmpdir(), 9e15)))
    expect(error._tag).toBe("CannotStart")
    expect(error.message).toMatch(/^The disk is full: \d+ MB are free for \S+, and 9000000000 MB are needed; free some/)
  })

  it.each([
    Object.assign(new Error("write failed"), { code: "ENOSPC" }),
    new Error("The Workers runtime failed", { cause: Object.assign(new Error("write"), { code: "ENOSPC" }) }),
    new Error("The Workers runtime failed to start.\nRuntime stderr:\n disk I/O error: SQLITE_IOERR"),
    new Error("D1_ERROR: database or disk is full: SQLITE_FULL"),
  ])("is one sentence, whoever noticed it: %s", (error) => {
    expect(toCannotStart("/some/place", "The workers do not start")(error).message).toBe(
      "The disk is full: make room for /some/place and start again.",
    )
  })
})

describe("a place that cannot be written", () => {
  it.each(["EACCES", "EPERM", "EROFS", "ENOENT"])("is one sentence that names it: %s", (code) => {
    const error = Object.assign(new Error(`${code}: not so`), { code })
    expect(toCannotStart("/some/place")(error).message).toBe(
      "/some/place cannot be written: give yourself the right to, and start again.",
    )
  })
})

it("an error that nobody foresaw is told whole", () => {
  const error = new Error("The build failed\nsrc/core/index.ts:1: what is this")
  expect(toCannotStart("/some/place", "The workers do not start")(error).message).toBe(
    "The workers do not start: The build failed\nsrc/core/index.ts:1: what is this",
  )
})

import { PassThrough } from "node:stream"
import { Effect, Exit } from "effect"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { confirm } from "../../src/cli/operate/confirm.ts"

const question = { yes: false, word: "everybody", about: "This takes everybody back." }

/** A terminal at which this is typed. */
const terminal = (typed: string | null) => {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  if (typed === null) input.end()
  else input.write(`${typed}\n`)
  return input
}

const outcome = async (typed: string | null) => {
  const exit = await Effect.runPromiseExit(confirm(question, terminal(typed)))
  return Exit.isSuccess(exit) ? "confirmed" : String(exit.cause.reasons.map((reason) => Object(reason).error?._tag))
}

describe("A confirmation", () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it("is the very word, typed at a terminal; anything else refuses", async () => {
    expect(await outcome("everybody")).toBe("confirmed")
    for (const typed of ["", "y", "yes", "Everybody", "everybody else"]) expect(await outcome(typed)).toBe("Refused")
  })

  it("is not what the end of the input says", async () => {
    expect(await outcome(null)).toBe("Refused")
  })

  it("asks on stderr, with what is about to be done", async () => {
    await outcome("everybody")
    expect(process.stderr.write).toHaveBeenCalledWith('This takes everybody back.\nType "everybody" to confirm: ')
  })
})

import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { ObjectUnavailable } from "../../src/domain/error.ts"
import { pollEvents } from "../../src/gateway/handlers/pollEvents.ts"

const summary = { accounts: [], delivered: 2, undelivered: 0 }
const progress = {
  provider: "spotify",
  sourceId: "show",
  title: "A show\nwith two lines",
  outcome: "polled",
  itemsFound: 2,
  finished: 1,
  total: 1,
} as const

const collect = (stream: Stream.Stream<Uint8Array>) => Stream.mkString(Stream.decodeText(stream))

describe("server-sent events of a poll", () => {
  it("are one progress per source, then one done with the summary", async () => {
    const events = pollEvents((onProgress) =>
      Effect.as(
        Effect.sync(() => onProgress(progress)),
        summary,
      ),
    )
    expect(await Effect.runPromise(collect(events))).toBe(
      `event: progress\ndata: ${JSON.stringify(progress)}\n\nevent: done\ndata: ${JSON.stringify(summary)}\n\n`,
    )
  })

  it("end with one problem when the poll fails", async () => {
    const error = new ObjectUnavailable({ method: "pollNow", retryable: false, overloaded: false })
    const text = await Effect.runPromise(collect(pollEvents(() => Effect.fail(error))))
    expect(text).toMatch(/^event: problem\ndata: \{.*"urn:pollen:problem:object-unavailable".*\}\n\n$/)
  })

  it("end with one problem, and no details, when something unexpected happens", async () => {
    const text = await Effect.runPromise(collect(pollEvents(() => Effect.die(new Error("a secret")))))
    expect(text).toContain("urn:pollen:problem:internal-error")
    expect(text).not.toContain("secret")
  })

  it("keep the connection warm with comments while the poll is quiet", async () => {
    const program = Effect.gen(function* () {
      const events = pollEvents(() => Effect.as(Effect.sleep("40 seconds"), summary))
      const fiber = yield* Effect.forkChild(collect(events))
      for (let seconds = 0; seconds < 45; seconds += 5) yield* TestClock.adjust("5 seconds")
      return yield* Fiber.join(fiber)
    })
    const text = await Effect.runPromise(program.pipe(Effect.provide(TestClock.layer())))
    expect(text.match(/^: waiting$/gm)).toHaveLength(2)
    expect(text).toContain("event: done")
  })
})

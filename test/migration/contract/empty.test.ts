import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { dropTokenColumns, readDropState } from "../../../src/migration/contract/dropTokenColumns.ts"
import { stepServices } from "../../../src/migration/run/stepServices.ts"
import { bindings } from "../driver.ts"

const drop = (options: Parameters<typeof dropTokenColumns>[0] = {}) =>
  Effect.runPromise(dropTokenColumns(options).pipe(Effect.provide(stepServices(bindings))))
const read = () => Effect.runPromise(readDropState().pipe(Effect.provide(stepServices(bindings))))
const hasColumns = () => env.DB.prepare("SELECT access_token FROM user_accounts").all()

it("The drop step is refused where nobody has moved, and says what to do, unless the operator says that nobody ever has", async () => {
  expect(await read()).toMatchObject({ isDone: false, inTheWay: 0, hasAnybodyMoved: false })
  await expect(drop()).rejects.toMatchObject({
    ...{ _tag: "Conflict", reason: "nobody_moved" },
    detail: expect.stringContaining("nobodyEverMoved: true"),
  })
  await expect(drop({ nobodyEverMoved: false })).rejects.toMatchObject({ reason: "nobody_moved" })
  await hasColumns()
  expect(await drop({ nobodyEverMoved: true })).toMatchObject({ isDone: true })
  await expect(hasColumns()).rejects.toThrow("no such column")
})

import { runInDurableObject } from "cloudflare:test"
import { exports } from "cloudflare:workers"
import { Effect } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { AccountNotConnected, type DatabaseUnavailable, InternalError } from "../../src/domain/error.ts"
import type { Provider } from "../../src/domain/provider.ts"
import { call } from "../../src/rpc/call.ts"
import type { CommonError } from "../../src/rpc/contract.ts"
import * as methods from "../../src/rpc/methods.ts"
import { captureLogs } from "../object/logs.ts"
import { Person } from "../object/person.ts"

const refresh = call(methods.RefreshTokens, (wire) => exports.GatewayEntrypoint.refreshTokens(wire))
const status = call(methods.GetStatus, (wire) => exports.GatewayEntrypoint.getStatus(wire))

describe("A tagged error crosses", () => {
  it("as an instance of its class, with its fields", async () => {
    const error = await Effect.runPromise(Effect.flip(refresh({ userId: new Person().id, provider: "youtube" })))
    expect(error).toBeInstanceOf(AccountNotConnected)
    expect(error).toMatchObject({ _tag: "AccountNotConnected", provider: "youtube" })
    expect(error.message).toBe("No youtube account is connected; set a token first")
  })

  it("and catchTag sees it, in its type too", async () => {
    const raised = refresh({ userId: new Person().id, provider: "spotify" })
    expectTypeOf<Effect.Error<typeof raised>>().toEqualTypeOf<AccountNotConnected | DatabaseUnavailable | CommonError>()
    const handled = raised.pipe(Effect.catchTag("AccountNotConnected", ({ provider }) => Effect.succeed(provider)))
    expectTypeOf<Effect.Error<typeof handled>>().toEqualTypeOf<DatabaseUnavailable | CommonError>()
    expectTypeOf<Extract<Effect.Success<typeof handled>, string>>().toEqualTypeOf<Provider>()
    expect(await Effect.runPromise(handled)).toBe("spotify")
  })
})

describe("A defect crosses", () => {
  it("as a reference alone, under which the log has message and stack", async () => {
    const person = new Person()
    await person.connects("spotify")
    await runInDurableObject(person.stub, async (_instance, state) => {
      await state.storage.deleteAlarm()
      state.storage.sql.exec("DROP TABLE polls")
    })
    using logs = captureLogs()
    const reply = await exports.GatewayEntrypoint.getStatus({ userId: person.id })
    expect(reply.exit).not.toMatch(/polls|SQLITE|no such table| at /)
    const error = await Effect.runPromise(Effect.flip(status({ userId: person.id })))
    expect(error).toBeInstanceOf(InternalError)
    if (!(error instanceof InternalError)) return
    expect(error.reference).toMatch(/^[\da-f-]{36}$/)
    expect(inspected(error)).not.toMatch(/no such table/)
    expect(logs.text()).toContain(`getStatus failed unexpectedly (reference ${error.reference})`)
    expect(logs.text()).toMatch(/no such table: polls/)
    expect(logs.text()).toMatch(/\n\s+at /)
  })
})

const inspected = (error: Error) => JSON.stringify(error) + error.message + error.stack + String(error.cause)

import { listDurableObjectIds } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterAll, expect } from "vitest"
import { simulator } from "./object/person.ts"
import { dumpObject, leaked, seen } from "./object/traces.ts"

// After every file, whatever it was about: no token that the simulator ever issued lies in the clear in any object, or was in
// an error that a caller got, or in a log that a test captured. Logs that no test captured are read by the output watch.
afterAll(async () => {
  const secrets = await simulator.secrets()
  expect(leaked(seen.join("\n"), secrets), "tokens in errors or logs").toEqual([])
  for (const id of await listDurableObjectIds(env.USERS)) {
    expect(leaked(await dumpObject(env.USERS.get(id)), secrets), `tokens in object ${id}`).toEqual([])
  }
})

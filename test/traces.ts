import { listDurableObjectIds, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterAll, expect } from "vitest"
import { simulator } from "./object/person.ts"
import { dumpObject, leakFinder, seen } from "./object/traces.ts"

// Files that share a workerd have people of their own; what is left of the objects of files before is empty.
const ofOthers = new Set((await listDurableObjectIds(env.USERS)).map(String))
seen.length = 0

// After every file, whatever it was about: no token that the simulator ever issued lies in the clear in any object, or was in
// an error that a caller got, or in a log that a test captured. Logs that no test captured are read by the output watch.
afterAll(async () => {
  const leaked = leakFinder(await simulator.secrets())
  expect(leaked(seen.join("\n")), "tokens in errors or logs").toEqual([])
  for (const id of await listDurableObjectIds(env.USERS)) {
    if (ofOthers.has(String(id))) continue
    const object = env.USERS.get(id)
    expect(leaked(await dumpObject(object)), `tokens in object ${id}`).toEqual([])
    // It is not to wake in the middle of the next file.
    await runInDurableObject(object, (_instance, { storage }) => storage.deleteAlarm())
  }
})

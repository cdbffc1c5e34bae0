import { expect, it, onTestFinished } from "vitest"
import { chained, unchained } from "../../local/limits/workers/chain.ts"
import { newInvocation, within } from "../../local/limits/workers/Invocation.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { workersUnderLimits } from "../../local/stack/LocalStack.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"

it("What `npm start` runs may make no more subrequests than Cloudflare lets it", async () => {
  const simulator = await startSimulator({ seed: 3 })
  onTestFinished(simulator.close)
  const keys = generateKeys()
  const { harness, url, close } = await openStack({
    workers: workersUnderLimits(simulator.client.url, keys, { LIMIT_SUBREQUESTS: "0" }),
  })
  onTestFinished(close)
  const authorization = `Bearer ${await issueBearer(keys.GATEWAY_KEY, "ada")}`
  const refused = await fetch(new URL("/v1/feed", url), { headers: { authorization } })
  expect(refused.status).toBe(503)
  const ran = await harness.getWorker("pollen-cron").fetch("http://cron/")
  expect(await ran.text()).toContain("Too many subrequests")
  const runs = await harness
    .getWorker("pollen-migration")
    .fetch("http://migration/v1/runs", { headers: { authorization: `Bearer ${keys.ADMIN_TOKEN}` } })
  expect(runs.status).toBe(503)
})

it.each([
  [2, 503],
  [3, 200],
])(
  "Where %i invocations may be chained, a request that needs three of them is answered with %i",
  async (chained, status) => {
    const simulator = await startSimulator({ seed: 3 })
    onTestFinished(simulator.close)
    const keys = generateKeys()
    const { url, close } = await openStack({
      workers: workersUnderLimits(simulator.client.url, keys, { LIMIT_CHAINED_INVOCATIONS: String(chained) }),
    })
    onTestFinished(close)
    const headers = { authorization: `Bearer ${await issueBearer(keys.GATEWAY_KEY, "ada")}` }
    // The gateway asks D1 alone for a feed, and the core worker and the object for a status.
    expect((await fetch(new URL("/v1/feed", url), { headers })).status).toBe(200)
    expect((await fetch(new URL("/v1/status", url), { headers })).status).toBe(status)
  },
)

it("A chain of 32 invocations is as long as Cloudflare lets it be, and the next is refused in its words", () => {
  const callAfter = (length: number) => within(newInvocation(10, { length, limit: 32 }), () => chained(["payload"]))
  expect(unchained(callAfter(31))).toEqual({ parameters: ["payload"], length: 32 })
  expect(() => callAfter(32)).toThrow("Subrequest depth limit exceeded")
  // Whoever is not under the limits says nothing.
  expect(chained(["payload"])).toEqual(["payload"])
})

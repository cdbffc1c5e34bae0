import { expect, it, onTestFinished } from "vitest"
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

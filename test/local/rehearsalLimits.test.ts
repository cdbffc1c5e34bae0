import { expect, it } from "vitest"
import { coreSettings, limitSettings, paceOf } from "../../local/rehearsal/settings.ts"
import { workersUnderLimits } from "../../local/rehearsal/Workers.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"

it("A rehearsal under narrower limits narrows them for each of pollen's workers", () => {
  const limits = limitSettings({ subrequests: 200, instanceSubrequests: 400 })
  const workers = workersUnderLimits(generateKeys(), coreSettings("http://simulator", paceOf(20)), limits)
  const ofPollen = workers.filter(({ configPath }) => configPath.startsWith("src/") || configPath === "wrangler.toml")
  expect(ofPollen.map((worker) => ("vars" in worker ? worker.vars?.["LIMIT_SUBREQUESTS"] : null))).toEqual(
    Array.from({ length: 4 }, () => "200"),
  )
})

import { Effect } from "effect"
import { expect, it } from "vitest"
import { LegacySettings } from "../../src/legacy/settings.ts"
import { codeOf, rowsOf, section } from "./readme.ts"

it("the README's defaults of the central poller are those that hold", async () => {
  const documented = Object.fromEntries(
    rowsOf(section("Configuration")).flatMap(([names = "", , defaults = ""]) =>
      codeOf(names).map((name, index) => [name, codeOf(defaults)[index]]),
    ),
  )
  const read = (env: object) =>
    Effect.runPromise(
      Effect.map(Effect.provide(LegacySettings, LegacySettings.layer(env)), ({ endpoints: _, ...rest }) => rest),
    )
  const ours = Object.entries(documented).filter(([name]) => name.startsWith("LEGACY_"))
  expect(ours).toHaveLength(4)
  expect(await read(Object.fromEntries(ours))).toEqual(await read({}))
  // A default that is not read would prove nothing.
  for (const [name] of ours) await expect(read({ [name]: "nonsense" })).rejects.toThrow(name)
})

import { env } from "cloudflare:workers"
import { beforeEach, expect, it } from "vitest"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, move } from "../driver.ts"

beforeEach(async () => {
  await env.DB.batch(
    ["user_accounts", "token_migration_status", "migration_runs", "feature_flags"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )
})

it("A plan counts somebody at their destination whose only step puts a holder right, and nobody else there", async () => {
  const [ada, grace] = [new PersonInMove(), new PersonInMove()]
  for (const person of [ada, grace]) await person.hasInDatabase("spotify")
  await aimAt("live", [ada.id, grace.id])
  await move({ people: [ada.id, grace.id] })
  await ada.hasInDatabase("youtube")
  const { progress } = await move({ people: [ada.id, grace.id], isDry: true })
  expect(progress).toMatchObject({ people: 1, steps: 1, routes: [{ from: "live", to: "live", people: 1 }] })
  expect(await move({ people: [ada.id, grace.id] })).toMatchObject({ progress: { people: 1, steps: 1, taken: 1 } })
  expect(await ada.row("youtube")).toMatchObject({ holder: "object" })
})

import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import type { Stage } from "../../../src/domain/stage.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, move, rollBack } from "../driver.ts"

beforeEach(async () => {
  await env.DB.batch(
    ["user_accounts", "token_migration_status", "migration_runs", "feature_flags"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )
})

const seal = (person: PersonInMove, keyId: string) =>
  runInDurableObject(person.stub, (_object, state) => {
    state.storage.sql.exec("UPDATE tokens SET key_id = ?1 WHERE provider = 'youtube'", keyId)
  })

/** Somebody at a stage of whose two grants the one of YouTube does not open any more, and the key that it was sealed with. */
const withBrokenGrant = async (stage: Stage) => {
  const ada = new PersonInMove()
  for (const provider of ["spotify", "youtube"] as const) await ada.hasInDatabase(provider)
  await aimAt(stage, [ada.id])
  await move({ people: [ada.id] })
  const [row] = await ada.sql("SELECT key_id AS keyId FROM tokens WHERE provider = 'youtube'")
  await seal(ada, "lost")
  return { ada, keyId: String(row?.["keyId"]) }
}

describe.each<Stage>(["live", "rampdown", "complete"])("A grant that does not open, at %s", (stage) => {
  it("keeps the person's other grant from nothing on the way back, and goes back itself once it opens", async () => {
    const { ada, keyId } = await withBrokenGrant(stage)
    const back = await rollBack({ to: "off", people: [ada.id] })
    expect(back.progress).toMatchObject({ arrived: 0, failures: [{ reason: "seal_broken", people: 1 }] })
    expect(await ada.row("spotify")).toMatchObject({ holder: "database", refresh_token: expect.any(String) })
    expect(await ada.row("youtube")).toMatchObject({ holder: "object" })
    expect(await ada.fingerprints()).toMatchObject([
      { provider: "spotify", isHolder: false },
      { provider: "youtube", isHolder: true, fingerprint: null },
    ])
    expect(await ada.accessToken("spotify")).toMatchObject({ source: "database" })

    await seal(ada, keyId)
    const again = await rollBack({ to: "off", people: [ada.id] })
    expect(again.progress).toMatchObject({ arrived: 1, failures: [] })
    expect(await ada.row("youtube")).toMatchObject({ holder: "database", refresh_token: expect.any(String) })
    expect(await ada.accessToken("youtube")).toMatchObject({ source: "database" })
  })

  it("goes back with a grant that the person sets anew", async () => {
    const { ada } = await withBrokenGrant(stage)
    await rollBack({ to: "off", people: [ada.id] })
    await ada.connects("youtube")
    const again = await rollBack({ to: "off", people: [ada.id] })
    expect(again.progress).toMatchObject({ arrived: 1, failures: [] })
    expect(await ada.row("youtube")).toMatchObject({ holder: "database", state: "connected" })
  })

  it("is told beside the other in an export", async () => {
    const { ada } = await withBrokenGrant(stage)
    const { accounts, broken } = await ada.exportTokens()
    expect(accounts).toMatchObject([{ provider: "spotify" }])
    expect(broken).toMatchObject([{ provider: "youtube" }])
  })
})

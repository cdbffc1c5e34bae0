import { env } from "cloudflare:workers"
import { describe, expect, it, vi } from "vitest"
import { d1Outage } from "../../object/outage.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"

const nothingStored = { access_token: null, refresh_token: null, state: "disconnected", is_active: 0 }

/** Somebody whose grant D1 holds, and of which the object keeps a copy. */
const copied = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 1 })
  const person = (await new PersonInMove().follows(show)) as PersonInMove
  await person.importGrant("spotify", await person.hasInDatabase("spotify"))
  await person.hasPolled(show, await simulator.items(show))
  return person
}

const followed = (person: PersonInMove) =>
  env.DB.prepare("SELECT count(*) AS n FROM user_subscriptions WHERE user_id = ?1").bind(person.id).first<number>("n")

describe("A token that a person takes away", () => {
  it("goes from D1 where D1 holds it, with the copy and what was followed", async () => {
    const person = await copied()
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
    expect(await person.row("spotify")).toMatchObject({ ...nothingStored, holder: "database", epoch: 1, generation: 2 })
    expect(await person.fingerprints()).toEqual([])
    expect(await followed(person)).toBe(0)
    expect(await person.removeToken("spotify")).toEqual({ removed: false })
  })

  it("goes from the object that holds it, and out of what D1 has kept of it", async () => {
    const person = await copied()
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2)
    expect((await person.row("spotify"))?.refresh_token).not.toBeNull()
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
    await person.alarm()
    expect(await person.row("spotify")).toMatchObject({ ...nothingStored, holder: "object", epoch: 2 })
    expect(await person.account("spotify")).toMatchObject({ holder: "object", state: "disconnected", expiresAt: null })
  })

  it.each([
    ["complete", 0],
    ["rampdown", 1],
  ] as const)(
    "of somebody whose move is at complete and leads to %s costs so many statements about tokens: %i",
    async (target, count) => {
      const person = await copied()
      await person.switchTo("spotify", "object", 2)
      await person.takeOver("spotify", 2)
      await env.DB.prepare("UPDATE user_accounts SET access_token = NULL, refresh_token = NULL WHERE user_id = ?1")
        .bind(person.id)
        .run()
      await env.DB.prepare(
        "INSERT INTO token_migration_status (user_id, stage, target, state, updated_at) VALUES (?1, 'complete', ?2, 'migrated', 0)",
      )
        .bind(person.id, target)
        .run()
      const prepare = vi.spyOn(env.DB, "prepare")
      expect(await person.removeToken("spotify")).toEqual({ removed: true })
      expect(prepare.mock.calls.filter(([statement]) => statement.includes("access_token"))).toHaveLength(count)
      prepare.mockRestore()
      await person.alarm()
      expect(await person.row("spotify")).toMatchObject(nothingStored)
    },
  )

  it("in the gap of a hand-over forward is gone on both sides, and is not brought back by the take-over", async () => {
    const person = await copied()
    await person.switchTo("spotify", "object", 2)
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
    expect(await person.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "already_held" }] })
    await person.alarm()
    expect(await person.row("spotify")).toMatchObject({ ...nothingStored, holder: "object", epoch: 2 })
    expect(await person.fingerprints()).toEqual([])
  })

  it("in the gap of a hand-over back is gone on both sides, and is not brought back by the switch", async () => {
    const person = await copied()
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2)
    const handed = await person.handBack("spotify", 3)
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
    await person.switchBack(handed)
    expect(await person.row("spotify")).toMatchObject({ ...nothingStored, holder: "database", epoch: 3 })
    expect(await person.fingerprints()).toEqual([])
  })

  it("is refused while D1 cannot say who holds it", async () => {
    const person = await copied()
    {
      await using _outage = await d1Outage("user_accounts")
      await expect(person.removeToken("spotify")).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    }
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
  })
})

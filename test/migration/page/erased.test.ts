import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, move, rollBack } from "../driver.ts"
import { meanwhile } from "../meanwhile.ts"

const rowsOf = async (userId: string) => {
  const tables = ["users", "user_accounts", "token_migration_status", "token_migration_history", "migration_duplicates"]
  const counts = await env.DB.batch<{ readonly rows: number }>(
    tables.map((table) =>
      env.DB.prepare(`SELECT count(*) AS rows FROM ${table} WHERE ${table === "users" ? "id" : "user_id"} = ?1`).bind(
        userId,
      ),
    ),
  )
  return counts.map(({ results }) => results[0]?.rows)
}

it.each([
  ["before it takes them in hand", "INSERT INTO token_migration_status"],
  ["before it reads their grants", "JOIN user_accounts ON user_accounts.user_id = wanted.value"],
])("A page leaves nothing of a person who is erased %s", async (_when, statement) => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  await aimAt("dual_write", [person.id])
  await move({ people: [person.id] }, { bindings: meanwhile(statement, () => person.forget()) })
  expect(await rowsOf(person.id)).toEqual([0, 0, 0, 0, 0])
})

it("A rollback leaves no ceiling of a person who is erased before it sets one", async () => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  const given = { bindings: meanwhile("INSERT INTO token_migration_status", () => person.forget()) }
  await rollBack({ to: "off", people: [person.id] }, given)
  expect(await rowsOf(person.id)).toEqual([0, 0, 0, 0, 0])
})

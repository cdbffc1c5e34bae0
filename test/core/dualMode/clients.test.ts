import { env } from "cloudflare:workers"
import { beforeAll, expect, it } from "vitest"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"

beforeAll(() => simulator.addClients("spotify", { id: "second-client", secret: "second-secret" }))

/** Somebody whose grant D1 holds: of a client, and due for a refresh. */
const heldByDatabase = async (client: string) => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  const grant = await simulator.grant(person.id, "spotify", { clientId: "second-client" })
  await env.DB.prepare(
    "UPDATE user_accounts SET access_token = ?2, refresh_token = ?3, expires_at = 1, client = ?4 WHERE user_id = ?1",
  )
    .bind(person.id, grant.accessToken, grant.refreshToken, client)
    .run()
  return person
}

const asked = async (person: PersonInMove) =>
  (await simulator.ledger({ person: person.id, kind: "token" })).map(({ clientId }) => clientId)

it("A grant that D1 holds is refreshed with the client that it was issued to", async () => {
  const person = await heldByDatabase("second")
  expect(await person.accessToken()).toMatchObject({ source: "database" })
  expect(await asked(person)).toEqual(["second-client"])
  expect((await person.status()).accounts).toMatchObject([{ holder: "database", client: "second" }])
})

it("A grant that D1 holds, of a client that is not configured, waits with a reason, and nobody is asked", async () => {
  const person = await heldByDatabase("gone")
  await expect(person.accessToken()).rejects.toMatchObject({
    _tag: "ProviderUnavailable",
    reason: 'client_not_configured: set "gone" in SPOTIFY_CLIENTS and SPOTIFY_CLIENT_SECRETS',
  })
  expect(await asked(person)).toEqual([])
  expect(await person.row("spotify")).toMatchObject({ state: "connected" })
})

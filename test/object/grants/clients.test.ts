import { evictDurableObject } from "cloudflare:test"
import { Redacted } from "effect"
import { afterEach, beforeAll, describe, expect, it } from "vitest"
import { clock, settings } from "../../worker.ts"
import { hour } from "../following.ts"
import { Person, simulator } from "../person.ts"
import { toTokens } from "../personInMove.ts"

beforeAll(() => simulator.addClients("spotify", { id: "second-client", secret: "second-secret" }))

afterEach(() => {
  clock.aheadMs = 0
  delete settings.SPOTIFY_CLIENTS
})

const grantOfSecond = async (person: Person) => {
  const grant = await simulator.grant(person.id, "spotify", { clientId: "second-client" })
  return { ...toTokens(grant), client: "second" }
}

const connected = async () => {
  const person = new Person()
  await person.run(person.setToken({ userId: person.id, provider: "spotify", tokens: await grantOfSecond(person) }))
  return person
}

const account = async (person: Person) => (await person.status()).accounts[0]
const refresh = (person: Person) => person.refreshTokens({ force: true })

describe("A grant of another client than the default one", () => {
  it("is refreshed with that client, and says so in the status", async () => {
    const person = await connected()
    expect(await account(person)).toMatchObject({ client: "second", reason: null })
    expect(await refresh(person)).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    const [asked] = await simulator.ledger({ person: person.id, kind: "token" })
    expect(asked).toMatchObject({ clientId: "second-client", status: 200 })
    const [exported] = (await person.exportTokens()).accounts
    expect(exported?.tokens.client).toBe("second")
  })

  it("is refused where the settings do not have that client, with the names of those that they have", async () => {
    const person = new Person()
    const tokens = { ...(await grantOfSecond(person)), client: "third" }
    await expect(person.run(person.setToken({ userId: person.id, provider: "spotify", tokens }))).rejects.toMatchObject(
      {
        _tag: "InvalidRequest",
        issues: [{ path: "tokens.client", message: expect.stringContaining("default, second") }],
      },
    )
    // Secrets are repeated nowhere.
    expect(Redacted.value(tokens.accessToken)).not.toBe("")
  })

  it("waits with a reason once its client is configured no more, asks nobody, and goes on by itself when it is again", async () => {
    const person = await connected()
    settings.SPOTIFY_CLIENTS = "another:client"
    await evictDurableObject(person.stub)
    for (let time = 0; time < 3; time++) await refresh(person)
    expect(await account(person)).toMatchObject({
      state: "connected",
      reason: 'client_not_configured: set "second" in SPOTIFY_CLIENTS and SPOTIFY_CLIENT_SECRETS',
    })
    expect(await simulator.ledger({ person: person.id, kind: "token" })).toHaveLength(0)
    const { events } = await person.status()
    expect(events.filter(({ type }) => type === "refresh_failed")).toHaveLength(1)

    delete settings.SPOTIFY_CLIENTS
    await evictDurableObject(person.stub)
    clock.aheadMs = 25 * hour
    await person.alarm()
    expect(await account(person)).toMatchObject({ state: "connected", reason: null, client: "second" })
    expect((await simulator.ledger({ person: person.id, kind: "token" })).length).toBeGreaterThan(0)
  })
})

import { env } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { expect, it } from "vitest"
import { fingerprint, newFingerprintKey } from "../../../src/domain/fingerprint.ts"
import { holderAt, type Stage, stages } from "../../../src/domain/stage.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove, toTokens } from "../../object/personInMove.ts"
import { aimAt, move, positionOf } from "../driver.ts"

/** Everywhere and back: each step once forward and once back. */
const there: ReadonlyArray<Stage> = stages.slice(1)
const back: ReadonlyArray<Stage> = stages.toReversed().slice(1)

it("takes somebody through every stage and back, with one holder and the same tokens at each", async () => {
  const ada = new PersonInMove()
  const grants = { spotify: await ada.hasInDatabase("spotify"), youtube: await ada.hasInDatabase("youtube") }
  for (const stage of [...there, ...back]) {
    await aimAt(stage, [ada.id])
    const run = await move({ people: [ada.id] })
    expect(run.progress).toMatchObject({ taken: 1, arrived: 1, failedAttempts: 0 })
    expect(await positionOf(ada.id)).toMatchObject({ stage, target: stage })
    const key = newFingerprintKey()
    const kept = await ada.fingerprints(false, key)
    expect(kept).toHaveLength(stage === "off" ? 0 : 2)
    for (const provider of ["spotify", "youtube"] as const) {
      const row = await ada.row(provider)
      const inObject = kept.find((account) => account.provider === provider)
      expect(row?.holder).toBe(holderAt(stage))
      if (inObject !== undefined) {
        expect(inObject).toMatchObject({ isHolder: holderAt(stage) === "object", epoch: row?.epoch })
        expect(inObject.fingerprint).toBe(await Effect.runPromise(fingerprint(key, toTokens(grants[provider]))))
      }
      expect(row?.refresh_token).toBe(stage === "complete" ? null : grants[provider].refreshToken)
    }
  }
})

it("hands over what is in the feed, so that the object goes on where the legacy poller stopped, and the other way", async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 30 })
  const ada = new PersonInMove()
  await ada.follows(show)
  await ada.hasInDatabase("spotify")
  const delivered = (await simulator.items(show)).slice(0, 20)
  await ada.hasPolled(show, delivered)
  const published = await simulator.publish(show, 60)
  await aimAt("live", [ada.id])
  await move({ people: [ada.id] })
  await ada.pollNow()
  expect((await ada.newIds()).toSorted()).toEqual(published.map(({ id }) => id).toSorted())
  expect(await ada.feed()).toHaveLength(delivered.length + published.length)
  await aimAt("shadow", [ada.id])
  await move({ people: [ada.id] })
  const cursor = await env.DB.prepare("SELECT item_count AS items FROM user_subscriptions WHERE user_id = ?1")
    .bind(ada.id)
    .first()
  expect(cursor).toEqual({ items: 90 })
})

it("takes somebody from the first stage to the last in one run, a step a pass, and writes every step down", async () => {
  const ada = new PersonInMove()
  await ada.hasInDatabase("spotify")
  await aimAt("complete", [ada.id])
  const run = await move({ people: [ada.id] })
  expect(run).toMatchObject({ state: "finished", progress: { people: 1, steps: 5, taken: 5, arrived: 1, pass: 6 } })
  const { history } = await positionOf(ada.id)
  expect(history.map(({ from, to, outcome }) => `${from} ${to} ${outcome}`)).toEqual(
    there.map((to, index) => `${stages[index]} ${to} migrated`),
  )
  expect(await positionOf(ada.id)).toMatchObject({ durableObjectId: expect.any(String) })
})

it("brings the newest token back: one that the object has refreshed, and one that the person has set there", async () => {
  const [ada, grace] = [new PersonInMove(), new PersonInMove()]
  for (const person of [ada, grace]) await person.hasInDatabase("spotify")
  await aimAt("complete", [ada.id, grace.id])
  await move({ people: [ada.id, grace.id] })
  await ada.refreshTokens({ provider: "spotify", force: true })
  await grace.connects("spotify")
  const held = await Promise.all([ada, grace].map((person) => person.exportTokens()))
  await aimAt("off", [ada.id, grace.id])
  await move({ people: [ada.id, grace.id] })
  for (const [index, person] of [ada, grace].entries()) {
    const tokens = held[index]?.accounts[0]?.tokens
    const row = await person.row("spotify")
    expect(tokens).toBeDefined()
    expect(row).toMatchObject({
      holder: "database",
      access_token: tokens && Redacted.value(tokens.accessToken),
      refresh_token: tokens && Redacted.value(tokens.refreshToken),
    })
  }
})

it.each<readonly [string, number, (ada: PersonInMove) => Promise<unknown>]>([
  ["that has lost its copy", 2, (ada) => ada.discardCopies()],
  [
    "that has given up since, at a later epoch",
    3,
    async (ada) => {
      await ada.takeOver("spotify", 2)
      await ada.handBack("spotify", 3)
    },
  ],
  ["of which the person has set a token since", 2, (ada) => ada.connects("spotify")],
])(
  "what D1 has given away to an object %s is held by that, and mirrored, at the end",
  async (_what, epoch, happens) => {
    const ada = new PersonInMove()
    await ada.hasInDatabase("spotify")
    await aimAt("shadow", [ada.id])
    await move({ people: [ada.id] })
    await ada.switchTo("spotify", "object", 2)
    await happens(ada)
    await aimAt("live", [ada.id])
    expect((await move({ people: [ada.id] })).progress).toMatchObject({ arrived: 1, failures: [] })
    const { newestRefreshToken } = await simulator.tokenState(ada.id, "spotify")
    expect(await ada.row("spotify")).toMatchObject({ holder: "object", epoch, refresh_token: newestRefreshToken })
    expect(await ada.fingerprints()).toMatchObject([{ isHolder: true, epoch }])
    expect(await ada.exportedRefreshTokens()).toEqual([newestRefreshToken])
  },
)

it("goes back with what the object has, whatever the mirror says", async () => {
  const ada = new PersonInMove()
  const { accessToken, refreshToken, expiresAt, scope } = await ada.hasInDatabase("spotify")
  await aimAt("live", [ada.id])
  await move({ people: [ada.id] })
  await env.DB.prepare(
    "UPDATE user_accounts SET access_token = 'old', refresh_token = 'old', expires_at = 1, scope = 'old' WHERE user_id = ?1",
  )
    .bind(ada.id)
    .run()
  await aimAt("shadow", [ada.id])
  expect((await move({ people: [ada.id] })).progress).toMatchObject({ arrived: 1, failures: [] })
  expect(await ada.row("spotify")).toMatchObject({
    ...{ holder: "database", access_token: accessToken, refresh_token: refreshToken, expires_at: expiresAt },
    scope: scope.join(" "),
  })
})

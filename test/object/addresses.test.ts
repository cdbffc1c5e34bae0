import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import { makeSources, settled } from "./following.ts"
import { simulator } from "./person.ts"
import { PersonInMove } from "./personInMove.ts"

const shown = { url: "", imageUrl: null }

it("An address that an earlier version kept is not shown unless it is of the web: by the object", async () => {
  const [source = ""] = await makeSources("spotify", 1)
  const person = await settled([source], "spotify")
  const kept = `UPDATE subscriptions SET url = 'javascript:alert(1)', image_url = 'https://${"x".repeat(3000)}', reason = 'fails'`
  await person.sql(kept)
  expect(await person.subscriptions()).toMatchObject([{ sourceId: source, ...shown }])
  expect((await person.status()).failing).toMatchObject([{ sourceId: source, ...shown }])
})

it("An address that an earlier version kept is not shown unless it is of the web: by D1", async () => {
  const [source = ""] = await makeSources("spotify", 1)
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  await simulator.subscribe(person.id, source)
  await person.hasPolled(source, [])
  await env.DB.prepare(
    "INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at) VALUES ('spotify', ?1, 'One', 'javascript:alert(1)', 'data:,', 1)",
  )
    .bind(source)
    .run()
  expect(await person.subscriptions()).toMatchObject([{ sourceId: source, title: "One", ...shown }])
})

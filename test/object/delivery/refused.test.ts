import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { clock, settings } from "../../worker.ts"
import { hour, makeSources, minute, publishInEach, settled } from "../following.ts"
import { hangingBatch, refusal } from "../outage.ts"
import { type Person, simulator } from "../person.ts"

afterEach(() => {
  clock.aheadMs = 0
  delete settings.DATABASE_TIMEOUT
  vi.restoreAllMocks()
})

const expectDelivered = async (person: Person, published: ReadonlyArray<string>) => {
  const delivered = await person.newIds()
  expect(delivered).toHaveLength(published.length)
  expect(new Set(delivered)).toEqual(new Set(published))
}

/** Somebody with news to deliver, to a D1 that is waited for for a second. */
const withNews = async (follows: number) => {
  settings.DATABASE_TIMEOUT = "1 second"
  const sources = await makeSources("spotify", follows)
  const person = await settled(sources, "spotify")
  return { person, published: await publishInEach(sources) }
}

describe("D1 that does not answer", () => {
  it("holds nobody up for longer than it is given, and gets the delivery again once it is back", async () => {
    const { person, published } = await withNews(2)
    using hanging = hangingBatch()
    expect(await person.pollNow()).toMatchObject({ delivered: 0, undelivered: published.length })
    expect(await person.status()).toMatchObject({ deliveryFailure: "no answer within 1 s" })
    // The first may still take effect: another must not pass it by.
    expect(await person.pollNow()).toMatchObject({ delivered: 0, undelivered: published.length })
    expect((await person.status()).deliveryFailure).toMatch(/before/)
    hanging.answer()
    clock.aheadMs = 15 * minute
    await person.alarm()
    await expectDelivered(person, published)
    expect(await person.status()).toMatchObject({ undelivered: 0, deliveryFailure: null })
  })

  it("is not waited for for ever, where it never answers at all", async () => {
    const { person, published } = await withNews(2)
    using _ = hangingBatch()
    await person.pollNow()
    clock.aheadMs = 15 * minute
    await person.alarm()
    await expectDelivered(person, published)
  })

  it("lets nobody be erased while it may still take what was sent", async () => {
    const { person } = await withNews(1)
    using hanging = hangingBatch()
    await person.pollNow()
    await expect(person.forget()).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    hanging.answer()
    await vi.waitFor(() => person.forget())
    expect(await person.newIds()).toEqual([])
  })

  it("keeps nobody from being erased for ever, where it never answers at all", async () => {
    const { person } = await withNews(1)
    using _ = hangingBatch()
    await person.pollNow()
    clock.aheadMs = 3 * minute
    await person.forget()
    expect(await person.newIds()).toEqual([])
  })
})

describe("A row that D1 refuses for what it is", () => {
  it("stops nobody else, is told in the status, and is delivered once an operator says so", async () => {
    const [good = "", bad = ""] = await makeSources("spotify", 2)
    const person = await settled([good, bad], "spotify")
    const published = (await simulator.publish(good, 7)).map(({ id }) => id)
    const [refused] = await simulator.publish(bad, 1)
    const more = (await simulator.publish(bad, 3)).map(({ id }) => id)
    const id = refused?.id ?? ""
    {
      await using _ = await refusal("feed_items", `NEW.external_id = '${id}'`)
      expect(await person.pollNow()).toMatchObject({ delivered: 10, undelivered: 0 })
      await expectDelivered(person, [...published, ...more])
      expect(await person.status()).toMatchObject({
        setAside: 1,
        setAsideReason: expect.stringContaining("not this one"),
      })
      expect(await person.redeliver()).toMatchObject({ delivered: 0, setAside: 1 })
      const told = env.DB.prepare("SELECT set_aside AS setAside FROM durable_object_status WHERE user_id = ?1")
      expect(await told.bind(person.id).first("setAside")).toBe(1)
    }
    expect(await person.redeliver()).toMatchObject({ delivered: 1, undelivered: 0, setAside: 0 })
    await expectDelivered(person, [...published, ...more, id])
    expect(await person.status()).toMatchObject({ setAside: 0, setAsideReason: null })
  })
})

const followedInD1 = async (person: Person) => {
  const rows = env.DB.prepare("SELECT external_id AS id FROM user_subscriptions WHERE user_id = ?1").bind(person.id)
  return (await rows.all<{ readonly id: string }>()).results.map(({ id }) => id)
}

/** Lets a day pass and polls, so that what the person follows now is read and believed. */
const readsLibrary = async (person: Person) => {
  clock.aheadMs += 25 * hour
  await person.pollNow()
}

describe("A row that was set aside, delivered after the person has changed their mind,", () => {
  it("brings no follow back that they have ended since", async () => {
    const [kept = "", left = ""] = await makeSources("spotify", 2)
    const person = await settled([kept], "spotify")
    {
      await using _ = await refusal("user_subscriptions", `NEW.external_id = '${left}'`)
      await simulator.subscribe(person.id, left)
      await readsLibrary(person)
      expect(await person.status()).toMatchObject({ setAside: 1 })
    }
    await simulator.unsubscribe(person.id, left)
    await readsLibrary(person)
    expect(await person.redeliver()).toMatchObject({ undelivered: 0, setAside: 0 })
    expect(await followedInD1(person)).toEqual([kept])
  })

  it("ends no follow that they have begun again since", async () => {
    const [kept = "", again = ""] = await makeSources("spotify", 2)
    const person = await settled([kept, again], "spotify")
    {
      await using _ = await refusal("user_subscriptions", `OLD.external_id = '${again}'`, "DELETE")
      await simulator.unsubscribe(person.id, again)
      await readsLibrary(person)
      expect(await person.status()).toMatchObject({ setAside: 1 })
    }
    await simulator.subscribe(person.id, again)
    await readsLibrary(person)
    expect(await person.redeliver()).toMatchObject({ undelivered: 0, setAside: 0 })
    expect(new Set(await followedInD1(person))).toEqual(new Set([kept, again]))
  })
})

import { expect, it } from "vitest"
import { isOutageOfGrants, noRefusals, refusedGrant } from "../../src/domain/outage.ts"

const minute = 60_000
const now = Date.UTC(2026, 10, 24)

/** Refusals of these people, one a minute. */
const refusals = (people: ReadonlyArray<number>, before = noRefusals, from = now) =>
  people.reduce((so, person, index) => refusedGrant(so, person, { now: from + index * minute, requests: 0 }), before)

it("five people's grants refused within minutes are an outage", () => {
  expect(isOutageOfGrants(refusals([1, 2, 3, 4]), now + 4 * minute)).toBe(false)
  expect(isOutageOfGrants(refusals([1, 2, 3, 4, 5]), now + 4 * minute)).toBe(true)
})

it("one person's grant refused many times is that person's", () => {
  expect(isOutageOfGrants(refusals([1, 1, 1, 1, 1, 1, 1]), now + 7 * minute)).toBe(false)
})

it("refusals that are far apart are people's", () => {
  const slow = [1, 2, 3, 4, 5, 6].reduce(
    (so, person) => refusedGrant(so, person, { now: now + person * 3 * minute, requests: 0 }),
    noRefusals,
  )
  expect(isOutageOfGrants(slow, now + 18 * minute)).toBe(false)
})

it("is over ten minutes after the last of many, and a day after its beginning in any case", () => {
  const many = refusals([1, 2, 3, 4, 5])
  expect(isOutageOfGrants(many, now + 13 * minute)).toBe(true)
  expect(isOutageOfGrants(many, now + 14 * minute)).toBe(false)
  let going = many
  for (let at = 5; at <= 24 * 60 + 5; at += 1)
    going = refusedGrant(going, at % 50, { now: now + at * minute, requests: 0 })
  expect(isOutageOfGrants(going, now + (24 * 60 - 1) * minute)).toBe(true)
  expect(isOutageOfGrants(going, now + (24 * 60 + 5) * minute)).toBe(false)
})

it("among many requests more people revoke, and more are an outage", () => {
  const refuse = (people: number, requests: number) => {
    let so = noRefusals
    for (let person = 0; person < people; person += 1) so = refusedGrant(so, person, { now: now + person, requests })
    return isOutageOfGrants(so, now + people)
  }
  expect([refuse(99, 20_000), refuse(100, 20_000)]).toEqual([false, true])
  expect([refuse(499, 10_000_000), refuse(500, 10_000_000)]).toEqual([false, true])
})

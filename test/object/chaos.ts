import { abortAllDurableObjects } from "cloudflare:test"
import { expect } from "vitest"
import type { ItemKind, RequestMatch } from "../../local/simulator/model.ts"
import type { Provider } from "../../src/domain/provider.ts"
import { clock } from "../worker.ts"
import { hour, settled } from "./following.ts"
import { d1Outage } from "./outage.ts"
import { type Person, simulator } from "./person.ts"

/** Draws that a seed repeats: a linear congruential generator, good enough to make trouble. */
const dice = (seed: number) => {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return {
    below: (limit: number) => Math.floor(next() * limit),
    isDrawn: (chance: number) => next() < chance,
    one: <A>(of: ReadonlyArray<A>): A => {
      const drawn = of[Math.floor(next() * of.length)]
      if (drawn === undefined) throw new Error("nothing to draw from")
      return drawn
    },
  }
}

const odd: Readonly<Record<Provider, ReadonlyArray<ItemKind>>> = {
  spotify: ["null", "unplayable", "precision-month", "precision-year"],
  youtube: ["private", "upcoming", "live", "short"],
}
/** What nobody sees, and what comes to be seen one day; a video that is made public counts as published then. */
const hiddenKinds: ReadonlyArray<ItemKind> = ["null", "private", "unplayable", "upcoming"]
const waitingKinds: ReadonlyArray<ItemKind> = ["unplayable", "upcoming"]

interface Surroundings {
  /** What happens besides, whenever somebody is polled. */
  readonly alongside: () => Promise<unknown>
  /** What faults are about beside the requests of people, by the sources. */
  readonly alsoFaulty: (sources: ReadonlyArray<string>) => ReadonlyArray<RequestMatch>
}

/** Three people follow three shows and three channels while everything goes wrong; in the end each has everything once. */
export const chaos = async (seed: number, { alongside, alsoFaulty }: Surroundings) => {
  const { below, isDrawn, one } = dice(seed)
  const providers = ["spotify", "spotify", "spotify", "youtube", "youtube", "youtube"] as const
  const sources = await simulator.createSources(providers.map((provider) => ({ provider, items: 30 + below(60) })))
  const people: ReadonlyArray<Person> = await Promise.all(
    Array.from({ length: 3 }, () => settled(sources, "spotify", "youtube")),
  )
  const matches = [...people.map((person): RequestMatch => ({ person: person.id })), ...alsoFaulty(sources)]

  /** What everybody has to have in the end, and what has been shown for a while. */
  const due = new Set<string>()
  const shown = new Set<string>()
  const waiting = new Map<string, string>()
  const publish = async (at: number) => {
    const provider = one(providers)
    const kinds = Array.from({ length: at }, () => (isDrawn(0.15) ? one(odd[provider]) : ("normal" as const)))
    const source = one(sources.filter((_, index) => providers[index] === provider))
    const published = await simulator.publish(
      source,
      kinds.map((kind) => ({ kind })),
    )
    for (const [index, { id }] of published.entries()) {
      const kind = kinds[index] ?? "normal"
      if (waitingKinds.includes(kind)) waiting.set(id, source)
      else if (!hiddenKinds.includes(kind)) due.add(id)
    }
  }
  const reveal = async () => {
    const [id, source] = [...waiting][0] ?? []
    if (id === undefined || source === undefined) return
    waiting.delete(id)
    // What lies under hundreds of newer items is past.
    if ((await simulator.items(source)).findIndex((item) => item.id === id) > 60) return
    due.add(id)
    await simulator.changeItem(id, { kind: "normal" })
  }
  const remove = async () => {
    if (due.size === 0) return
    const id = one([...due])
    due.delete(id)
    shown.add(id)
    await simulator.removeItem(id)
  }
  const poll = () =>
    Promise.allSettled([
      ...people.flatMap((person) => [person.pollNow(), ...(isDrawn(0.5) ? [person.alarm()] : [])]),
      alongside(),
    ])

  for (let round = 0; round < 12; round += 1) {
    for (let event = below(5); event > 0; event -= 1) await publish(1 + below(isDrawn(0.2) ? 130 : 6))
    if (isDrawn(0.4)) await reveal()
    const faults = isDrawn(0.6)
      ? (await Promise.all(matches.map((match) => simulator.randomFaults({ rate: 0.15, match })))).flat()
      : []
    await using _ = isDrawn(0.25) ? await d1Outage() : null
    const polls = poll()
    // Items come and go while pages are read, and objects die in the middle.
    if (isDrawn(0.5)) await publish(1 + below(3))
    if (isDrawn(0.4)) await remove()
    if (isDrawn(0.3)) await abortAllDurableObjects()
    await polls
    if (faults.length > 0) await simulator.clearFaults(faults)
    clock.aheadMs += below(4) * hour
  }

  // Calm again: whatever waits for its time gets it.
  for (let day = 0; day < 3; day += 1) {
    clock.aheadMs += 27 * hour
    await poll()
  }
  for (const person of people) {
    const ids = (await person.feed()).map(({ id }) => id)
    expect(new Set(ids).size, "doubled").toBe(ids.length)
    expect(
      [...due].filter((id) => !ids.includes(id)),
      "lost",
    ).toEqual([])
    const fresh = await person.newIds()
    expect(
      fresh.filter((id) => !due.has(id) && !shown.has(id)),
      "not new at all",
    ).toEqual([])
    expect(await person.status()).toMatchObject({ undelivered: 0, failing: [] })
  }
}

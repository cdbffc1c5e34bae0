import type { Provider, SeededPerson, SeedInput } from "../model.ts"
import type { World } from "./state/world.ts"

/** Makes people and what they follow; a part of it is common to all of them. */
export const seed = (world: World, input: SeedInput): Array<SeededPerson> => {
  const { showsEach, channelsEach, itemsEach: items, sharedFraction = 0 } = input
  const pool = (provider: Provider, each: number): Array<string> =>
    Array.from({ length: Math.round(each * sharedFraction) }, () => world.catalogue.create({ provider, items }).id)
  const sharedShows = pool("spotify", showsEach)
  const sharedChannels = pool("youtube", channelsEach)
  const fill = (provider: Provider, shared: ReadonlyArray<string>, each: number): Array<string> => [
    ...shared,
    ...Array.from({ length: each - shared.length }, () => world.catalogue.create({ provider, items }).id),
  ]
  return idsOf(world, input.people).map((id) => {
    const shows = fill("spotify", sharedShows, showsEach)
    const channels = fill("youtube", sharedChannels, channelsEach)
    world.library.follow(id, [...shows, ...channels])
    return { id, shows, channels }
  })
}

const idsOf = (world: World, people: SeedInput["people"]): ReadonlyArray<string> => {
  if (typeof people !== "number") return people
  return Array.from({ length: people }, () => {
    world.seededPeople++
    return `person-${world.seededPeople}`
  })
}

import {
  awakeSeconds,
  databaseRowsPerItem,
  hub,
  itemsOf,
  libraryLooks,
  objectGigabytes,
  prices,
  sharedHub,
  today,
} from "./assumptions.ts"
import { type Popularity, popularityOf } from "./popularity.ts"

/** What a design costs in a day, over everybody. */
export interface Day {
  readonly spotifyRequests: number
  readonly youtubeUnits: number
  readonly atomRequests: number
  readonly wakes: number
  readonly gigabyteSeconds: number
  readonly objectRowsWritten: number
  readonly databaseRowsWritten: number
  readonly databaseStatements: number
  readonly rowsRead: number
}

/** Items that appear in followed sources, and items that come into feeds. */
const itemsIn = ({ followedSources, follows }: Popularity) => ({
  appeared: { spotify: followedSources * itemsOf.spotify, youtube: followedSources * itemsOf.youtube },
  delivered: follows * (itemsOf.spotify + itemsOf.youtube),
})

/** Details of videos are asked for 50 at a time, across hubs. */
const detailsAtOnce = 50

/** Wakes in which several items come at once count once: items a wake. */
const itemsPerWake = 1.3

/** (a): each person's object asks for what its person follows. */
const byPerson = (people: number, popularity: Popularity): Day => {
  const { delivered } = itemsIn(popularity)
  const wakes = people * today.wakes
  return {
    spotifyRequests: people * today.spotifyRequests,
    youtubeUnits: people * today.youtubeUnits,
    atomRequests: 0,
    wakes,
    gigabyteSeconds: wakes * awakeSeconds.asking * objectGigabytes,
    objectRowsWritten: people * today.rowsWritten,
    databaseRowsWritten: delivered * databaseRowsPerItem,
    databaseStatements: (delivered / itemsPerWake) * 4,
    rowsRead: people * today.rowsRead,
  }
}

/** What both designs with hubs ask of the providers, and the wakes of hubs for it. */
const asked = (people: number, popularity: Popularity) => {
  const { followedSources } = popularity
  const { appeared } = itemsIn(popularity)
  const ofLibraries = { spotify: people * libraryLooks.spotify, youtube: people * libraryLooks.youtube }
  return {
    // A count that moved is looked into once for all followers; one that stands still is verified all the same.
    spotifyRequests: ofLibraries.spotify + appeared.spotify + followedSources * hub.spotifyLooks,
    youtubeUnits: ofLibraries.youtube + followedSources * hub.apiLooks + appeared.youtube / detailsAtOnce,
    atomRequests: followedSources * hub.atomLooks,
    libraryWakes: ofLibraries.spotify,
    hubWakes: followedSources * (hub.atomLooks + hub.spotifyLooks) + appeared.spotify,
  }
}

/** (b): a hub for each source tells the objects of its followers, which deliver. */
const hubTellsObjects = (people: number, popularity: Popularity): Day => {
  const { appeared, delivered } = itemsIn(popularity)
  const { spotifyRequests, youtubeUnits, atomRequests, libraryWakes, hubWakes } = asked(people, popularity)
  const told = delivered / itemsPerWake
  return {
    spotifyRequests,
    youtubeUnits,
    atomRequests,
    wakes: libraryWakes + hubWakes + told,
    gigabyteSeconds:
      ((libraryWakes + hubWakes) * awakeSeconds.asking + told * (awakeSeconds.telling + awakeSeconds.asking)) *
      objectGigabytes,
    // An alarm a wake; of an item its mark in the hub, and in each object its mark, its place in the outbox and the end of that.
    objectRowsWritten: libraryWakes * 3 + hubWakes + (appeared.spotify + appeared.youtube) * 2 + delivered * 3,
    databaseRowsWritten: delivered * databaseRowsPerItem,
    databaseStatements: told * 4,
    rowsRead: (libraryWakes + hubWakes + told) * 100,
  }
}

/** (c): a hub writes an item once, and the feeds of all followers by one statement. */
const hubWritesFeeds = (people: number, popularity: Popularity): Day => {
  const { appeared, delivered } = itemsIn(popularity)
  const { spotifyRequests, youtubeUnits, atomRequests, libraryWakes, hubWakes } = asked(people, popularity)
  const items = appeared.spotify + appeared.youtube
  return {
    spotifyRequests,
    youtubeUnits,
    atomRequests,
    wakes: libraryWakes + hubWakes,
    gigabyteSeconds: (libraryWakes + hubWakes) * awakeSeconds.asking * objectGigabytes,
    // An alarm a wake; of an item its mark, its place in the hub's outbox, and the end of that.
    objectRowsWritten: libraryWakes * 3 + hubWakes + items * 3,
    databaseRowsWritten: items + delivered,
    databaseStatements: (items / itemsPerWake) * 2,
    rowsRead: (libraryWakes + hubWakes) * 100 + delivered * 2,
  }
}

/** (d): as (c), but that a hub looks after many sources, all that are due in one wake. */
const sharedHubsWriteFeeds = (people: number, popularity: Popularity): Day => {
  const alone = hubWritesFeeds(people, popularity)
  const { libraryWakes, hubWakes: looks } = asked(people, popularity)
  const { appeared } = itemsIn(popularity)
  // Hubs of both providers.
  const hubWakes = ((2 * popularity.followedSources) / sharedHub.sources) * sharedHub.wakes
  const awake = hubWakes * awakeSeconds.telling + looks * sharedHub.secondsALook
  return {
    ...alone,
    wakes: libraryWakes + hubWakes,
    gigabyteSeconds: (libraryWakes * awakeSeconds.asking + awake) * objectGigabytes,
    objectRowsWritten: libraryWakes * 3 + hubWakes + (appeared.spotify + appeared.youtube) * 3,
    databaseStatements: Math.min(alone.databaseStatements, hubWakes * 2),
  }
}

const designs = [
  { name: "(a) each object asks", dayOf: byPerson },
  { name: "(b) a hub tells objects", dayOf: hubTellsObjects },
  { name: "(c) a hub writes feeds", dayOf: hubWritesFeeds },
  { name: "(d) a hub of many sources does", dayOf: sharedHubsWriteFeeds },
] as const

/** Dollars in a month of 30 days for 1,000 people, by term; without free allowances. */
const dollarsOf = (day: Day, people: number) => {
  const month = (perDay: number) => (perDay * 30 * 1000) / people
  return {
    wakes: month(day.wakes * prices.objectRequest),
    duration: month(day.gigabyteSeconds * prices.gigabyteSecond),
    objectRows: month(day.objectRowsWritten * prices.objectRowWritten),
    databaseRows: month(day.databaseRowsWritten * prices.databaseRowWritten),
    rowsRead: month(day.rowsRead * prices.rowRead),
  }
}

const sizes = [500, 5_000, 100_000] as const

/** Everything, for each number of people. */
export const compare = () =>
  sizes.map((people) => {
    const popularity = popularityOf(people)
    return {
      people,
      popularity,
      days: designs.map(({ name, dayOf }) => {
        const day = dayOf(people, popularity)
        return { name, day, dollars: dollarsOf(day, people) }
      }),
    }
  })

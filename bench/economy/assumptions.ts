// What the arithmetic of docs/economy.md rests on. Per day unless told.

/** List prices in dollars: https://developers.cloudflare.com/workers/platform/pricing/ and those of Durable Objects and D1. */
export const prices = {
  objectRequest: 0.15e-6,
  gigabyteSecond: 12.5e-6,
  objectRowWritten: 1e-6,
  databaseRowWritten: 1e-6,
  rowRead: 0.001e-6,
}

/** An object is billed as if it had 128 MB, for as long as it is awake. */
export const objectGigabytes = 0.128

/** Seconds that an object is awake for a wake that asks a provider, and for one that only takes or gives a message. */
export const awakeSeconds = { asking: 1.5, telling: 0.2 }

/** What one person follows of each provider, and how many sources there are for each person, over both. */
export const followed = 20
export const sourcesPerPerson = 4

/** New items of a source: a show has one a week, a channel three. */
export const itemsOf = { spotify: 1 / 7, youtube: 3 / 7 }

/** One person's object as it was counted (bench of a278557): wakes, requests and units, rows of its own. */
export const today = { wakes: 21.6, spotifyRequests: 34.5, youtubeUnits: 39.2, rowsWritten: 409, rowsRead: 10_164 }

/** Rows that D1 writes for a delivered item: the item, its place in a feed, and the heartbeat that goes with it. */
export const databaseRowsPerItem = 3

/** What hubs do: looks at a source's Atom feed, verifications by the API, and looks at a library of each provider. */
export const hub = { atomLooks: 24, apiLooks: 1 / 3, spotifyLooks: 0.5 }
/** A hub of design (d): sources that one looks after, its wakes, and seconds for one of the looks of a wake, of which six are made at once. */
export const sharedHub = { sources: 100, wakes: 96, secondsALook: 0.3 / 6 }
export const libraryLooks = { spotify: 6, youtube: 0.5 }

import { type Day, simulateDays } from "../day/simulate.ts"
import { awakeSeconds, objectGigabytes, prices } from "../economy/assumptions.ts"
import { popularityOf } from "../economy/popularity.ts"
import type { Figure } from "../figure.ts"

// Figures of a day of one person, who follows 20 shows and 20 channels of mixed habits, taken from one simulation.

const days = 6
const simulated = new Map<string, Promise<Day>>()

export const simulate: Figure["measure"] extends (stage: infer _Stage, effort: infer Effort) => unknown
  ? (effort: Effort) => Promise<Day>
  : never = ({ isQuick, tell }) => {
  const key = String(isQuick)
  const known = simulated.get(key)
  if (known !== undefined) return known
  const day = simulateDays({ seed: 10, days: isQuick ? 2 : days, hoursWithoutFeeds: 4, tell })
  simulated.set(key, day)
  return day
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

const how = (what: string) =>
  `${what}, in the mean over ${days} simulated days after the first nine, feeds of channels out for four hours of each; real objects, alarms and D1 on a clock of their own, the simulator as provider (npm run bench:day)`

export const wakesPerPersonDay: Figure = {
  name: "wakes_per_person_day",
  says: "The object of a person with 20 shows and 20 channels wakes at most 8 times a day.",
  unit: "wakes",
  limit: 8,
  bound: "atMost",
  measure: async (_stage, effort) => {
    const { wakes, delays } = await simulate(effort)
    return { value: round(wakes), how: how("alarms of the person's object"), samples: delays }
  },
}

export const objectRowsWrittenPerPersonDay: Figure = {
  name: "object_rows_written_per_person_day",
  says: "That object writes at most 100 rows of its own a day.",
  unit: "rows",
  limit: 100,
  bound: "atMost",
  measure: async (_stage, effort) => {
    const { rowsWritten, channel } = await simulate(effort)
    return {
      value: round(rowsWritten),
      how: how("rows of the object's SQLite as the platform counts them, and alarms set"),
      samples: { person: [rowsWritten], ofEachChannelInItsHub: [channel.rowsWritten] },
    }
  },
}

/** Channels that are followed, for each person, where 5,000 people follow 20 each. */
export const channelsPerPerson = popularityOf(5000).followedSources / 5000

export const youtubeUnitsPerPersonDay: Figure = {
  name: "youtube_units_per_person_day",
  says: "One free quota carries 5,000 people: at most 2 units of YouTube's quota for each a day.",
  unit: "units",
  limit: 2,
  bound: "atMost",
  measure: async (_stage, effort) => {
    const { libraryUnits, channel } = await simulate(effort)
    return {
      value: round(libraryUnits + channel.units * channelsPerPerson, 2),
      how: how(
        `requests of a hub of 67 channels, for each channel, times the ${round(channelsPerPerson, 2)} channels that there are for each of 5,000 people (docs/economy.md), and of the person's library`,
      ),
      samples: { library: [libraryUnits], ofEachChannel: [channel.units] },
    }
  },
}

/** Heartbeats that D1 is told in a day. */
const heartbeats = 4

/** Dollars a month for 1,000 people, by term. */
const dollarsOf = ({ wakes, rowsWritten, rowsRead, delivered, channel }: Day) => {
  const aMonth = (perDay: number) => perDay * 30 * 1000
  const hubWakes = channel.wakes * channelsPerPerson
  const awake = wakes * awakeSeconds.asking + hubWakes * awakeSeconds.asking
  return {
    objectRows: aMonth(rowsWritten * prices.objectRowWritten),
    hubRows: aMonth(channel.rowsWritten * channelsPerPerson * prices.objectRowWritten),
    // An item is two rows for each feed, and one that all share; and the heartbeats.
    databaseRows: aMonth((delivered * (2 + channelsPerPerson / 20) + heartbeats) * prices.databaseRowWritten),
    duration: aMonth(awake * objectGigabytes * prices.gigabyteSecond),
    wakes: aMonth((wakes + hubWakes) * prices.objectRequest),
    // A lease for each wake at most, and what is left of it given back: a call and a row each.
    budget: aMonth(2 * (wakes + hubWakes) * (prices.objectRequest + prices.objectRowWritten)),
    rowsRead: aMonth((rowsRead + channel.rowsRead * channelsPerPerson) * prices.rowRead),
  }
}

export const dollarsPer1000PeopleMonth: Figure = {
  name: "dollars_per_1000_people_month",
  says: "1,000 such people cost at most 4 dollars a month at list prices, the hubs' share included.",
  unit: "dollars",
  limit: 4,
  bound: "atMost",
  measure: async (_stage, effort) => {
    const terms = dollarsOf(await simulate(effort))
    return {
      value: round(
        Object.values(terms).reduce((sum, one) => sum + one, 0),
        2,
      ),
      how: how(
        `counted wakes and rows at list prices without free allowances; an object is taken to be awake for ${awakeSeconds.asking} s a wake, which is not measured`,
      ),
      samples: Object.fromEntries(Object.entries(terms).map(([name, dollars]) => [name, [round(dollars, 3)]])),
    }
  },
}

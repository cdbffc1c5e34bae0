// Whether a provider refuses grants because of the people whose they are, or because of itself.

/** Refusals of the last minutes, and how long they have been taken for an outage. Times are epoch milliseconds. */
export interface Refusals {
  /** Whose grant was refused, as a number that stands for them, and when. */
  readonly recent: ReadonlyArray<{ readonly person: number; readonly at: number }>
  /** Since when refusals are an outage, and until when if no other comes. `null`: they are not. */
  readonly outage: { readonly since: number; readonly until: number } | null
}

export const noRefusals: Refusals = { recent: [], outage: null }

/**
 * Refusals of so many people within so many milliseconds are the provider's doing: people revoke grants one by one. Of many people more do
 * in the same time; an outage refuses nearly every refresh, and there is one for a few requests.
 */
const people = { least: 5, forRequests: 200, most: 500 }
export const withinMs = 10 * 60_000

/** An outage of more than a day is none: perhaps somebody has revoked all grants of the application. In milliseconds. */
const longestOutageMs = 24 * 3_600_000

/** Most refusals that are remembered: more say nothing more. */
const remembered = 1000

/**
 * Takes in that a grant was refused, for no reason that its age would explain. `requests`: how many the application has made in the last
 * ten minutes, about.
 */
export const refusedGrant = (
  { recent, outage }: Refusals,
  person: number,
  { now, requests }: { readonly now: number; readonly requests: number },
): Refusals => {
  const many = Math.min(people.most, Math.max(people.least, Math.floor(requests / people.forRequests)))
  const fresh = [...recent.filter((one) => now - one.at < withinMs && one.person !== person), { person, at: now }]
  const isOn = outage !== null && now < outage.until
  const isMany = fresh.length >= many
  const since = isOn ? outage.since : now
  return {
    recent: fresh.slice(-remembered),
    outage: isOn || isMany ? { since, until: isMany || !isOn ? now + withinMs : outage.until } : null,
  }
}

/** Whether refusals are an outage at a moment. */
export const isOutageOfGrants = ({ outage }: Refusals, now: number): boolean =>
  outage !== null && now < outage.until && now - outage.since < longestOutageMs

// Whether a provider refuses grants because of the people whose they are, or because of itself.

/** Refusals of the last minutes, and how long they have been taken for an outage. Times are epoch milliseconds. */
export interface Refusals {
  /** Whose grant was refused, as a number that stands for them, and when. */
  readonly recent: ReadonlyArray<{ readonly person: number; readonly at: number }>
  /** Since when refusals are an outage, and until when if no other comes. `null`: they are not. */
  readonly outage: { readonly since: number; readonly until: number } | null
}

export const noRefusals: Refusals = { recent: [], outage: null }

/** Refusals of so many people within so many milliseconds are the provider's doing: people revoke grants one by one. */
const people = 5
const withinMs = 10 * 60_000

/** An outage of more than a day is none: perhaps somebody has revoked all grants of the application. In milliseconds. */
const longestOutageMs = 24 * 3_600_000

/** Most refusals that are remembered: more say nothing more. */
const remembered = 100

/** Takes in that a grant was refused, for no reason that its age would explain. */
export const refusedGrant = ({ recent, outage }: Refusals, person: number, now: number): Refusals => {
  const fresh = [...recent.filter((one) => now - one.at < withinMs && one.person !== person), { person, at: now }]
  const isOn = outage !== null && now < outage.until
  const isMany = fresh.length >= people
  const since = isOn ? outage.since : now
  return {
    recent: fresh.slice(-remembered),
    outage: isOn || isMany ? { since, until: isMany || !isOn ? now + withinMs : outage.until } : null,
  }
}

/** Whether refusals are an outage at a moment. */
export const isOutageOfGrants = ({ outage }: Refusals, now: number): boolean =>
  outage !== null && now < outage.until && now - outage.since < longestOutageMs

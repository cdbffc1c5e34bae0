import { connectionOf, type Happening, isForgotten, type Rows, type Source } from "./chronicle.ts"

// The auditor. It knows what happened in the world and what D1 says, and nothing of how pollen works.

const providers = ["spotify", "youtube"] as const

/** Items that were published while the person followed their source, as they do still, and that are there still. */
const promised = (happenings: ReadonlyArray<Happening>, person: string): ReadonlyMap<string, string> => {
  const followed = new Set<string>()
  const items = new Map<string, string>()
  for (const one of happenings) {
    if (one.type === "followed" && one.person === person) followed.add(one.source)
    if (one.type === "unfollowed" && one.person === person) {
      followed.delete(one.source)
      for (const [item, source] of items) if (source === one.source) items.delete(item)
    }
    if (one.type === "published" && followed.has(one.source)) items.set(one.item, one.source)
    if (one.type === "withdrawn") items.delete(one.item)
  }
  return items
}

/** Items of sources that the person has ever followed: nothing else may be in their feed. */
const permitted = (happenings: ReadonlyArray<Happening>, person: string): ReadonlySet<string> => {
  const sources = new Set(
    happenings.flatMap((one) => (one.type === "followed" && one.person === person ? [one.source] : [])),
  )
  return new Set(happenings.flatMap((one) => (one.type === "published" && sources.has(one.source) ? [one.item] : [])))
}

/** Lists what D1 has wrong about a person. */
const auditPerson = (
  happenings: ReadonlyArray<Happening>,
  rows: Rows,
  sources: ReadonlyMap<string, Source>,
  person: string,
): ReadonlyArray<string> => {
  const feed = rows.feeds.filter((row) => row.person === person).map(({ item }) => item)
  const accounts = rows.accounts.filter((row) => row.person === person)
  if (isForgotten(happenings, person)) {
    return feed.length + accounts.length > 0 ? [`${person} is forgotten and has rows`] : []
  }
  const has = new Set(feed)
  const may = permitted(happenings, person)
  const doubled = feed.filter((item, index) => feed.indexOf(item) !== index)
  const foreign = feed.filter((item) => !may.has(item))
  const ofAccounts = providers.flatMap((provider) => {
    const connection = connectionOf(happenings, person, provider)
    const row = accounts.find((account) => account.provider === provider)
    const says = row === undefined ? "nothing" : row.isActive ? row.state : "disconnected"
    const wrong = (should: string) => [`${person}'s ${provider} is ${should}, and D1 says ${says}`]
    if (connection === "revoked") return says === "reauthorization_required" ? [] : wrong("revoked")
    if (connection === "removed") return says === "nothing" || says === "disconnected" ? [] : wrong("removed")
    if (connection === "none") return []
    const lost = [...promised(happenings, person)].filter(
      ([item, source]) => sources.get(source)?.provider === provider && !has.has(item),
    )
    return [
      ...(says === "connected" ? [] : wrong("connected")),
      ...lost.map(([item, source]) => `${person} has lost ${item} of ${provider} ${source}`),
    ]
  })
  return [
    ...doubled.map((item) => `${person} has ${item} twice`),
    ...foreign.map((item) => `${person} has ${item}, which is of no source of theirs`),
    ...ofAccounts,
  ]
}

/** Lists what D1 has wrong when quiet has returned; empty when every promise was kept. */
export const audit = (
  happenings: ReadonlyArray<Happening>,
  rows: Rows,
  sources: ReadonlyArray<Source>,
): ReadonlyArray<string> => {
  const people = new Set(happenings.flatMap((one) => ("person" in one ? [one.person] : [])))
  const known = new Map(sources.map((source) => [source.id, source]))
  return [...people].flatMap((person) => auditPerson(happenings, rows, known, person))
}

import { Redacted } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { GrantsMapping } from "../api/mapping.ts"
import type { MappingWarning } from "../api/tables.ts"
import type { ParsedRow } from "./grants.ts"

const hour = 3_600_000
const day = 24 * hour

/** How tokens begin, as they have been seen; neither provider documents it, and so it warns and refuses nothing. */
const beginnings: { readonly [P in Provider]: { readonly access: string; readonly refresh: string } } = {
  spotify: { access: "BQ", refresh: "AQ" },
  youtube: { access: "ya29.", refresh: "1//" },
}

const begins = (token: ParsedRow["accessToken"], beginning: string) => Redacted.value(token).startsWith(beginning)

interface Sign {
  readonly column: keyof GrantsMapping["columns"]
  readonly isOdd: (row: ParsedRow, now: number) => boolean
  /** The part of the rows from which on it is worth a word. */
  readonly from: number
  readonly detail: string
}

const signs: ReadonlyArray<Sign> = [
  {
    column: "refreshToken",
    isOdd: ({ provider, refreshToken }) => begins(refreshToken, beginnings[provider].access),
    from: 0,
    detail: "begin as the provider's access tokens do",
  },
  {
    column: "accessToken",
    isOdd: ({ provider, accessToken }) => begins(accessToken, beginnings[provider].refresh),
    from: 0,
    detail: "begin as the provider's refresh tokens do",
  },
  {
    column: "refreshToken",
    isOdd: ({ accessToken, refreshToken }) => Redacted.value(accessToken) === Redacted.value(refreshToken),
    from: 0,
    detail: "are the access token once more",
  },
  {
    column: "expiresAt",
    isOdd: ({ expiresAt }, now) => expiresAt > now + day,
    from: 0,
    detail: "are more than a day ahead: an access token of either provider works for an hour",
  },
  {
    column: "authorizedAt",
    isOdd: ({ authorizedAt }, now) => authorizedAt !== null && authorizedAt > now + hour,
    from: 0,
    detail: "are in the future",
  },
  {
    column: "authorizedAt",
    // A consent that was never refreshed since looks so too: a few such rows say nothing.
    isOdd: ({ authorizedAt, expiresAt }) => authorizedAt !== null && Math.abs(expiresAt - authorizedAt - hour) < 60_000,
    from: 0.5,
    detail: "are an hour before the access token's end: when it was refreshed, and not when the person consented",
  },
  { column: "isActive", isOdd: ({ isActive }) => !isActive, from: 0.99, detail: "mean no: see activeValues" },
]

/** Rows below which how many of them are alike says nothing. */
const enough = 5

/** Refresh tokens that more than one account has: of different people, each use by one makes it useless for the other. */
const countShared = (rows: ReadonlyArray<ParsedRow>): number => {
  const times = Map.groupBy(rows, ({ refreshToken }) => Redacted.value(refreshToken))
  return [...times.values()].filter(({ length }) => length > 1).flat().length
}

/** Says which columns cannot mean what they are mapped to, judged by rows that could be parsed. No value of a row is repeated. */
export const warnings = (rows: ReadonlyArray<ParsedRow>, now: number): ReadonlyArray<MappingWarning> => {
  const found = signs.map(({ column, isOdd, from, detail }) => {
    const count = rows.filter((row) => isOdd(row, now)).length
    return { column, rows: from > 0 && (rows.length < enough || count < from * rows.length) ? 0 : count, detail }
  })
  const shared = { column: "refreshToken", rows: countShared(rows), detail: "are of more than one account" }
  return [...found, shared].filter((warning) => warning.rows > 0)
}

/** What ids look like, as they have been seen; neither provider promises it, and so it warns and refuses nothing. */
const idShapes: { readonly [P in Provider]: { readonly sourceId: RegExp; readonly itemId: RegExp } } = {
  spotify: { sourceId: /^[\dA-Za-z]{22}$/, itemId: /^[\dA-Za-z]{22}$/ },
  youtube: { sourceId: /^UC[\w-]{22}$/, itemId: /^[\w-]{11}$/ },
}

/** Says of how many rows an id does not look like the provider's. */
export const oddIds = <Row>(
  column: "sourceId" | "itemId",
  rows: ReadonlyArray<Row>,
  idOf: (row: Row) => readonly [Provider, string],
): ReadonlyArray<MappingWarning> => {
  const odd = rows.filter((row) => {
    const [provider, id] = idOf(row)
    return !idShapes[provider][column].test(id)
  }).length
  return odd === 0 ? [] : [{ column, rows: odd, detail: "do not look like ids of the provider" }]
}

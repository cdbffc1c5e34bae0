import { DateTime, Option, Predicate, Result, Schema } from "effect"
import { Id } from "../../domain/id.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import { UserId } from "../../domain/user.ts"
import type { Mapping } from "../api/mapping.ts"
import type { RefusedRow } from "../api/tables.ts"

// How single values of an old table are read. A refusal never repeats a value: it may be a token.

/** A row of an old table, under the names of the mapping's fields. */
export type Row = Record<string, unknown>

export type Refusal = Omit<RefusedRow, "key">

export const refusal = (reason: RefusedRow["reason"], detail: string): Result.Result<never, Refusal> =>
  Result.fail({ reason, detail })

export const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === ""

/** The key of a row. */
export const keyOf = (row: Row): string | number => (typeof row["key"] === "number" ? row["key"] : String(row["key"]))

/** The period in which a time must be: seconds read as milliseconds are in 1970, and milliseconds read as seconds far in the future. */
const years = { earliest: Date.UTC(2005, 0, 1), latest: Date.UTC(2100, 0, 1) }

/** Parses ISO 8601. A time without a zone is UTC. */
const parseIso = (text: string): number | undefined => {
  const hasZone = /(?:z|[+-]\d{2}:?\d{2})$/i.test(text)
  const [date = "", time] = text.trim().split(/[ tT]/, 2)
  const zoned = hasZone ? text.trim().replace(" ", "T") : `${date}T${time ?? "00:00:00"}Z`
  return Option.getOrUndefined(Option.map(DateTime.make(zoned), DateTime.toEpochMillis))
}

const toMillis = (value: unknown, format: Mapping["timestamps"]): number | undefined => {
  if (format === "iso") return Predicate.isString(value) ? parseIso(value) : undefined
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined
  return Math.round(format === "seconds" ? number * 1000 : number)
}

/** Reads a time as epoch milliseconds. */
export const readTime = (value: unknown, format: Mapping["timestamps"]): Result.Result<number, Refusal> => {
  const millis = toMillis(value, format)
  if (millis === undefined)
    return refusal("unreadable_time", `is not ${format === "iso" ? "ISO 8601" : `epoch ${format}`}`)
  if (millis >= years.earliest && millis < years.latest) return Result.succeed(millis)
  return refusal(
    "unreadable_time",
    `is ${millis < years.earliest ? "before 2005" : "after 2100"} when read as ${format}; check timestamps in the mapping`,
  )
}

/** `readTime` of what may be empty: `null` then. */
export const readTimeIfAny = (value: unknown, format: Mapping["timestamps"]): Result.Result<number | null, Refusal> =>
  isEmpty(value) ? Result.succeed(null) : readTime(value, format)

/** `readTime` of what has happened: nothing that is said to come says where something stopped. `latest`: epoch milliseconds. */
export const readPast = (
  value: unknown,
  format: Mapping["timestamps"],
  latest: number,
): Result.Result<number, Refusal> =>
  Result.flatMap(readTime(value, format), (at) =>
    at <= latest ? Result.succeed(at) : refusal("unreadable_time", `is in the future when read as ${format}`),
  )

/** Returns pollen's name of a provider, by the table's name. */
export const providerNamed = (mapping: Mapping, name: unknown): Provider | undefined => {
  if (mapping.provider !== undefined) return mapping.provider
  const text = String(name ?? "")
  return mapping.providers?.[text] ?? providers.find((provider) => provider === text)
}

const decodeUserId = Schema.decodeUnknownOption(UserId)

/** Reads whose row it is, and of which provider. */
export const readOwner = (
  mapping: Mapping,
  row: Row,
): Result.Result<{ readonly userId: UserId; readonly provider: Provider }, Refusal> => {
  const userId = decodeUserId(typeof row["userId"] === "number" ? String(row["userId"]) : row["userId"])
  if (Option.isNone(userId)) return refusal("no_user", "is not a user id of 1 to 256 characters")
  const provider = providerNamed(mapping, row["provider"])
  if (provider === undefined) return refusal("unknown_provider", "is not a provider that the mapping names")
  return Result.succeed({ userId: userId.value, provider })
}

const decodeId = Schema.decodeUnknownOption(Id)

/** Reads a provider's id. */
export const readId = (value: unknown, reason: "no_source" | "no_item"): Result.Result<string, Refusal> =>
  Option.match(decodeId(value), {
    onNone: () => refusal(reason, "is not an id that a provider could have given"),
    onSome: Result.succeed,
  })

/** A text, or `null` where there is none. */
export const textOf = (value: unknown): string | null =>
  isEmpty(value) || !(Predicate.isString(value) || Predicate.isNumber(value)) ? null : String(value)

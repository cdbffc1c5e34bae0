import { DateTime, Option, Predicate, Result, Schema } from "effect"
import { type Provider, providers } from "../../domain/provider.ts"
import { Secret } from "../../domain/token.ts"
import { UserId } from "../../domain/user.ts"
import type { Mapping } from "../api/mapping.ts"
import type { RefusedRow } from "../api/tables.ts"

/** A grant as a row of an old table tells it, in the clear only in what `tokens` holds. */
export interface ParsedRow {
  readonly key: string | number
  readonly userId: UserId
  readonly provider: Provider
  readonly accessToken: typeof Secret.Type
  readonly refreshToken: typeof Secret.Type
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string>
  readonly isActive: boolean
}

type Row = Record<string, unknown>
type Refusal = Omit<RefusedRow, "key">

const refusal = (reason: RefusedRow["reason"], detail: string): Result.Result<never, Refusal> =>
  Result.fail({ reason, detail })

const decodeUserId = Schema.decodeUnknownOption(UserId)
const decodeSecret = Schema.decodeUnknownOption(Secret)
const decodeScopes = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === ""

/** Earliest and latest year that a time may be of: seconds read as milliseconds are 1970, and the other way round is far off. */
const years = { earliest: Date.UTC(2005, 0, 1), latest: Date.UTC(2100, 0, 1) }

/** ISO 8601 with a zone; without one it is UTC. */
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

const readTime = (value: unknown, format: Mapping["timestamps"]): Result.Result<number, Refusal> => {
  const millis = toMillis(value, format)
  if (millis === undefined)
    return refusal("unreadable_time", `is not ${format === "iso" ? "ISO 8601" : `epoch ${format}`}`)
  if (millis >= years.earliest && millis < years.latest) return Result.succeed(millis)
  return refusal(
    "unreadable_time",
    `would be ${millis < years.earliest ? "before 2005" : "after 2100"}: is it epoch ${format}?`,
  )
}

const readScope = (value: unknown, format: Mapping["scope"]): Result.Result<ReadonlyArray<string>, Refusal> => {
  if (isEmpty(value)) return Result.succeed([])
  if (format === "json") {
    const scopes = decodeScopes(value)
    return Option.isSome(scopes)
      ? Result.succeed(scopes.value)
      : refusal("unreadable_scope", "is not a JSON array of strings")
  }
  if (!Predicate.isString(value)) return refusal("unreadable_scope", "is not a text")
  return Result.succeed(
    value
      .split(format === "commas" ? "," : /\s+/)
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  )
}

const defaultActive: ReadonlyArray<string> = ["1", "true"]

/** pollen's name for what the table calls a provider. */
export const providerNamed = (mapping: Mapping, name: unknown): Provider | undefined => {
  if (mapping.provider !== undefined) return mapping.provider
  const text = String(name ?? "")
  return mapping.providers?.[text] ?? providers.find((provider) => provider === text)
}

const readSecret = (
  value: unknown,
  missing: "no_access_token" | "no_refresh_token",
): Result.Result<typeof Secret.Type, Refusal> => {
  if (isEmpty(value)) return refusal(missing, "is empty")
  const secret = decodeSecret(value)
  return Option.isSome(secret)
    ? Result.succeed(secret.value)
    : refusal("too_long", "is not a text of at most 4096 characters")
}

/** What a row says; or why it cannot be said. Never repeats what is in it, because that may be a token. */
export const parseRow = (mapping: Mapping, row: Row): Result.Result<ParsedRow, RefusedRow> => {
  const key = typeof row["key"] === "number" ? row["key"] : String(row["key"])
  const read = Result.gen(function* () {
    const userId = decodeUserId(typeof row["userId"] === "number" ? String(row["userId"]) : row["userId"])
    if (Option.isNone(userId)) return yield* refusal("no_user", "is not a user id of 1 to 256 characters")
    const provider = providerNamed(mapping, row["provider"])
    if (provider === undefined)
      return yield* refusal("unknown_provider", "is a provider that the mapping does not name")
    const accessToken = yield* readSecret(row["accessToken"], "no_access_token")
    const refreshToken = yield* readSecret(row["refreshToken"], "no_refresh_token")
    const expiresAt = yield* readTime(row["expiresAt"], mapping.timestamps)
    const scope = yield* readScope(row["scope"], mapping.scope)
    const isActive =
      mapping.columns.isActive === undefined ||
      (mapping.activeValues ?? defaultActive).includes(String(row["isActive"] ?? "").toLowerCase())
    return { key, userId: userId.value, provider, accessToken, refreshToken, expiresAt, scope, isActive }
  })
  return Result.mapError(read, (problem) => ({ key, ...problem }))
}

import { DateTime, Option, Predicate, Result, Schema } from "effect"
import { type Provider, providers } from "../../domain/provider.ts"
import { ClientName, Secret } from "../../domain/token.ts"
import { UserId } from "../../domain/user.ts"
import type { Mapping } from "../api/mapping.ts"
import type { RefusedRow } from "../api/tables.ts"

/** A grant, parsed from a row of an old table. */
export interface ParsedRow {
  readonly key: string | number
  readonly userId: UserId
  readonly provider: Provider
  readonly accessToken: typeof Secret.Type
  readonly refreshToken: typeof Secret.Type
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string>
  /** Epoch milliseconds; `null` where nobody knows. */
  readonly authorizedAt: number | null
  /** The name of the OAuth client; `null`: the default one. */
  readonly client: string | null
  readonly isActive: boolean
}

type Row = Record<string, unknown>
type Refusal = Omit<RefusedRow, "key">

const refusal = (reason: RefusedRow["reason"], detail: string): Result.Result<never, Refusal> =>
  Result.fail({ reason, detail })

const decodeUserId = Schema.decodeUnknownOption(UserId)
const decodeClient = Schema.decodeUnknownOption(ClientName)
const decodeSecret = Schema.decodeUnknownOption(Secret)
const decodeScopes = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === ""

/** The period in which an expiry must be: seconds read as milliseconds are in 1970, and milliseconds read as seconds far in the future. */
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

const readTime = (value: unknown, format: Mapping["timestamps"]): Result.Result<number, Refusal> => {
  const millis = toMillis(value, format)
  if (millis === undefined)
    return refusal("unreadable_time", `is not ${format === "iso" ? "ISO 8601" : `epoch ${format}`}`)
  if (millis >= years.earliest && millis < years.latest) return Result.succeed(millis)
  return refusal(
    "unreadable_time",
    `is ${millis < years.earliest ? "before 2005" : "after 2100"} when read as ${format}; check timestamps in the mapping`,
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
  if (!Predicate.isString(value)) return refusal("unreadable_scope", "is not a string")
  return Result.succeed(
    value
      .split(format === "commas" ? "," : /\s+/)
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  )
}

const defaultActive: ReadonlyArray<string> = ["1", "true"]

/** Returns pollen's name of a provider, by the table's name. */
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
    : refusal("too_long", "is not a string of at most 4096 characters")
}

/** The key of a row. */
export const keyOf = (row: Row): string | number => (typeof row["key"] === "number" ? row["key"] : String(row["key"]))

/** Parses a row, or says why that fails. Never repeats a value of the row: it may be a token. */
export const parseRow = (mapping: Mapping, row: Row): Result.Result<ParsedRow, RefusedRow> => {
  const key = keyOf(row)
  const read = Result.gen(function* () {
    const userId = decodeUserId(typeof row["userId"] === "number" ? String(row["userId"]) : row["userId"])
    if (Option.isNone(userId)) return yield* refusal("no_user", "is not a user id of 1 to 256 characters")
    const provider = providerNamed(mapping, row["provider"])
    if (provider === undefined) return yield* refusal("unknown_provider", "is not a provider that the mapping names")
    const accessToken = yield* readSecret(row["accessToken"], "no_access_token")
    const refreshToken = yield* readSecret(row["refreshToken"], "no_refresh_token")
    const expiresAt = yield* readTime(row["expiresAt"], mapping.timestamps)
    const scope = yield* readScope(row["scope"], mapping.scope)
    const authorizedAt = isEmpty(row["authorizedAt"]) ? null : yield* readTime(row["authorizedAt"], mapping.timestamps)
    const client = isEmpty(row["client"]) ? Option.some(null) : decodeClient(row["client"])
    if (Option.isNone(client)) {
      return yield* refusal("unreadable_client", "is not a name of 1 to 64 letters, digits, - and _")
    }
    const isActive =
      mapping.columns.isActive === undefined ||
      (mapping.activeValues ?? defaultActive).includes(String(row["isActive"] ?? "").toLowerCase())
    return {
      key,
      userId: userId.value,
      provider,
      accessToken,
      refreshToken,
      expiresAt,
      scope,
      authorizedAt,
      client: client.value,
      isActive,
    }
  })
  return Result.mapError(read, (problem) => ({ key, ...problem }))
}

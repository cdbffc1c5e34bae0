import { Option, Schema } from "effect"
import { Flag } from "effect/cli"

/** A point in time as it was typed: epoch milliseconds, given those of now. */
export type Since = (now: number) => number

const forms = 'must be a duration such as "6 hours" or 30m, or a time in UTC such as 2026-05-31 or 2026-05-31T08:00:00Z'

/** Milliseconds, by the first letter of the unit. */
const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const isUnit = (letter: string): letter is keyof typeof units => letter in units

const duration = /^(\d{1,6})\s*([smhdw]|(?:second|minute|hour|day|week)s?)$/
const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

/** Reads a duration or a time; `undefined` for anything else. A time without a zone is UTC. */
const parse = (text: string): Since | undefined => {
  const [, count = "", unit = ""] = duration.exec(text) ?? []
  const letter = unit.charAt(0)
  if (isUnit(letter)) return (now) => now - Number(count) * units[letter]
  const [found, clock, , , zone] = time.exec(text) ?? []
  const at =
    found === undefined ? Number.NaN : Date.parse(clock === undefined || zone !== undefined ? text : `${text}Z`)
  return Number.isNaN(at) ? undefined : () => at
}

const Typed = Schema.String.check(
  Schema.makeFilter((text: string) => (parse(text.trim()) === undefined ? forms : undefined)),
)

const aDayAgo: Since = (now) => now - units.d

/** `--since`: a duration or a time; one day unless given. */
export const sinceOption = (description: string) =>
  Flag.String("since").pipe(
    Flag.withSchema(Typed),
    Flag.withDescription(`${description}: a duration such as "6 hours", or a time in UTC (default: 1 day)`),
    Flag.optional,
    Flag.map((typed) =>
      Option.getOrElse(
        Option.flatMapNullishOr(typed, (text) => parse(text.trim())),
        () => aDayAgo,
      ),
    ),
  )

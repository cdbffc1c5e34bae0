import { Option, Schema } from "effect"

/** What a campaign says while it runs: how many sequences it has played, and what it came to. */
const Said = Schema.Union([
  Schema.Struct({ done: Schema.Int }),
  Schema.Struct({
    polls: Schema.Struct({ begun: Schema.Int, succeeded: Schema.Int }),
    troubles: Schema.Record(Schema.String, Schema.Int),
  }),
])
export type Said = typeof Said.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Said))
const prefix = "campaign: "

/** Reads a line of the run; `undefined` if the campaign has not said it. */
export const understand = (line: string): Said | undefined =>
  line.startsWith(prefix) ? Option.getOrUndefined(decode(line.slice(prefix.length))) : undefined

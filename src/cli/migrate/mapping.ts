import { Effect, Schema } from "effect"
import { Flag } from "effect/cli"
import { FeedMapping, FollowsMapping, GrantsMapping, type Mapping } from "../../migration/api/mapping.ts"
import { toInvalidRequest } from "../../rpc/serve.ts"
import { Misused } from "../exit.ts"
import { readTyped, resolveTyped } from "../files.ts"
import { renderIssues } from "../operate/answer.ts"

const strict = { errors: "all", onExcessProperty: "error" } as const

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))
const decodeWhat = Schema.decodeUnknownEffect(
  Schema.Struct({
    what: Schema.optionalKey(Schema.Literals(["grants", "follows", "feed"])),
  }),
)
const decoders = {
  grants: Schema.decodeUnknownEffect(GrantsMapping, strict),
  follows: Schema.decodeUnknownEffect(FollowsMapping, strict),
  feed: Schema.decodeUnknownEffect(FeedMapping, strict),
}

const decode = Effect.fnUntraced(function* (text: string): Effect.fn.Return<Mapping, Schema.SchemaError> {
  const given = yield* decodeJson(text)
  const { what = "grants" } = yield* decodeWhat(given)
  return yield* decoders[what](given)
})

export const mappingOption = Flag.String("mapping").pipe(
  Flag.withDescription("A JSON file that says what the other table has, and where, such as docs/mapping.example.json"),
)

/** Reads the mapping of another table. */
export const readMapping = Effect.fnUntraced(function* (file: string) {
  const text = yield* readTyped(file, "the mapping of a table, such as docs/mapping.example.json")
  return yield* Effect.mapError(
    decode(text),
    (error) =>
      new Misused({
        message: `${resolveTyped(file)} is not a mapping: ${renderIssues(toInvalidRequest("mapping", error).issues)}.`,
      }),
  )
})

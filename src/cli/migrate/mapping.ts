import { Effect, Schema } from "effect"
import { Flag } from "effect/cli"
import { Mapping } from "../../migration/api/mapping.ts"
import { toInvalidRequest } from "../../rpc/serve.ts"
import { Misused } from "../exit.ts"
import { readTyped, resolveTyped } from "../files.ts"
import { renderIssues } from "../operate/answer.ts"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Mapping), { errors: "all", onExcessProperty: "error" })

export const mappingOption = Flag.String("mapping").pipe(
  Flag.withDescription(
    "A JSON file that says where the grants are in the other table, such as docs/mapping.example.json",
  ),
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

import { Effect, Schema } from "effect"
import { Argument } from "effect/cli"
import { UserId } from "../../domain/user.ts"
import { Misused } from "../exit.ts"
import { readTyped } from "../files.ts"
import { text } from "./options.ts"

const decode = Schema.decodeUnknownEffect(Schema.Array(UserId))

/** The options of commands that concern everybody, or named people. */
export const peopleOptions = {
  named: Argument.String("user").pipe(Argument.withDescription("User ids"), Argument.variadic()),
  peopleFile: text("people-file", "A file with more user ids, one on each line"),
}

export interface PeopleOptions {
  readonly named: ReadonlyArray<string>
  readonly peopleFile: string | undefined
}

const toIds = (ids: ReadonlyArray<string>) =>
  decode([...new Set(ids)]).pipe(Effect.mapError(() => new Misused({ message: "A user id has 1 to 256 characters." })))

/** The ids in a list such as `ada,grace`. */
export const readList = (list: string | undefined) =>
  toIds(
    (list ?? "")
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== ""),
  )

/** The people whom a command line names; `undefined` where it has no user id in it. */
export const readPeople = Effect.fnUntraced(function* ({ named, peopleFile }: PeopleOptions) {
  const lines = peopleFile === undefined ? "" : yield* readTyped(peopleFile, "user ids, one on each line")
  const ids = yield* toIds([...named, ...lines.split(/\r?\n/).filter((line) => line !== "")])
  if (ids.length > 0) return ids
  return peopleFile === undefined ? undefined : yield* new Misused({ message: `${peopleFile} has no user id in it.` })
})

/** Renders the first few ids of many. */
export const renderIds = (ids: ReadonlyArray<string>, atMost = 5): string =>
  ids.length === 0 ? "–" : `${ids.slice(0, atMost).join(", ")}${ids.length > atMost ? `, … (${ids.length})` : ""}`

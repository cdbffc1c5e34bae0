import { Effect, Option, Schema, SchemaGetter } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { Page } from "./provider.ts"

const odd = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Null, { decode: SchemaGetter.transform(() => null), encode: SchemaGetter.passthrough() }),
)

/**
 * A field of which an odd value is as good as none: without it the entry is still worth showing. A union and not `catchDecoding`, which
 * takes 1.7 times as long for a page of 50 episodes.
 */
export const lenient = <S extends Schema.Constraint>(schema: S) =>
  Schema.optional(Schema.Union([schema, Schema.Null, odd]))

// A schema says what an entry must have to be one. What it may have besides is read by these, since a page has 50 entries of which hardly
// one is new, and checking all that they show is most of what decoding them costs.

/** A field of what may be an object. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

export const text = (value: unknown): string | null => (typeof value === "string" ? value : null)
export const integer = (value: unknown): number | null => (Number.isSafeInteger(value) ? Number(value) : null)
export const number = (value: unknown): number | null => (typeof value === "number" ? value : null)

/** The entries of a page, which are read one by one: an array of the schema's own would look at each once more. */
export const Entries = Schema.declare((value): value is ReadonlyArray<unknown> => Array.isArray(value))

/** An entry of a page: what it must have, and all that it has. */
export interface Entry<A> {
  readonly has: A
  readonly all: unknown
}

/** Makes a function that reads the entries of a page one by one, so that one that cannot be read hides no other. */
export const entriesReader = <S extends Schema.Constraint & { readonly DecodingServices: never }>(schema: S) => {
  const decode = Schema.decodeUnknownOption(schema)
  return (items: ReadonlyArray<unknown>): ReadonlyArray<Entry<S["Type"]>> => {
    const entries: Array<Entry<S["Type"]>> = []
    for (const all of items) {
      const has = decode(all)
      if (Option.isSome(has)) entries.push({ has: has.value, all })
    }
    return entries
  }
}

/** Says how many entries of an answer cannot be read, if there are any. */
export const logUnreadable = (provider: Provider, what: string, size: number, unreadable: number) =>
  unreadable === 0
    ? Effect.void
    : Effect.logWarning(`${unreadable} of ${size} entries of ${provider}'s ${what} could not be read`)

/** The failure of a listing that does not tell where it goes on: what lies below would be lost, or reading would never end. */
export const nextPageLost = (provider: Provider) =>
  new ProviderUnavailable({ provider, reason: "its next page cannot be found", retryAt: null })

/** Returns the key of the page after this one, and adds it to the keys `seen`. Fails where it leads back to a page that was read. */
export const nextKey = (
  provider: Provider,
  { next }: Pick<Page<unknown>, "next">,
  seen: Set<string>,
): Effect.Effect<string | null, ProviderUnavailable> => {
  if (next === null) return Effect.succeed(null)
  if (seen.has(next)) return Effect.fail(nextPageLost(provider))
  seen.add(next)
  return Effect.succeed(next)
}

/** The failure of an answer 304 to a request that had no entity tag. */
export const notAsked = (provider: Provider) =>
  new ProviderUnavailable({ provider, reason: "answered 304", retryAt: null })

import { Arbitrary, Effect, Exit, Schema } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup } from "effect/http-api"
import { type Dice, makeDice } from "../dice.ts"
import { mutate } from "./mutate.ts"

/** A request as it is sent. A body that is a text is sent as it is. */
export interface MadeRequest {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** An endpoint of an HTTP API. */
export type Endpoint = HttpApiEndpoint.Top

export const endpointsOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
): ReadonlyArray<Endpoint> => {
  const found: Array<Endpoint> = []
  HttpApi.reflect(api, { onGroup: () => undefined, onEndpoint: ({ endpoint }) => found.push(endpoint) })
  return found
}

/** Values of a schema, as JSON has them. */
const sample = async (schema: Schema.Top | undefined, count: number, seed: number): Promise<ReadonlyArray<unknown>> => {
  if (schema === undefined) return Array.from({ length: count }, () => undefined)
  const made = await Effect.runPromise(Arbitrary.sampleEffect(Arbitrary.schema(schema), { count, seed, size: 4 }))
  const encode = Schema.encodeUnknownExit(Schema.toCodecJson(schema as Schema.Codec<unknown>))
  return made.map((value) => {
    const encoded = encode(value)
    return Exit.isSuccess(encoded) ? encoded.value : value
  })
}

const toText = (value: unknown) => (typeof value === "string" ? value : String(JSON.stringify(value)))

/** A text as an address can carry it: half a surrogate pair cannot be. */
const part = (value: unknown) => encodeURIComponent(toText(value).toWellFormed())

const fieldsOf = (value: unknown): ReadonlyArray<[string, unknown]> =>
  typeof value === "object" && value !== null ? Object.entries(value) : []

const queryOf = (query: unknown) => {
  const pairs = fieldsOf(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${part(name)}=${part(value)}`)
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`
}

/** Ways of sending a body that are not JSON, or not quite. */
const spoil = (body: string, { one, below }: Dice) =>
  one([body.slice(0, below(body.length + 1)), `${body}}`, "", "[", "\0", "null", `\ufeff${body}`, "x".repeat(100_000)])

const json = { "content-type": "application/json" }

interface Kept {
  /** Path parameters that stand for something which exists, used in most requests. */
  readonly params: Readonly<Record<string, string>>
  /** A body to start from, where the schema allows hardly anything that can be made up. */
  readonly body?: unknown
}

/** Makes up requests to an endpoint: a few as its description has them, most with something changed. */
export const makeRequests = async (
  endpoint: Endpoint,
  { count, seed }: { readonly count: number; readonly seed: number },
  kept: Kept,
): Promise<ReadonlyArray<MadeRequest>> => {
  const dice = makeDice(seed)
  const { isDrawn, one } = dice
  const payload = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas).at(0)
  const [params, queries, bodies] = await Promise.all([
    sample(endpoint.params, count, seed),
    sample(endpoint.query, count, seed),
    kept.body === undefined ? sample(payload, count, seed) : Array.from({ length: count }, () => kept.body),
  ])
  const changed = (value: unknown, chance: number) => (isDrawn(chance) ? mutate(value, dice) : value)
  return params.map((param, index) => {
    const values = new Map(
      fieldsOf(param).map(([name, value]) => [name, isDrawn(0.7) ? (kept.params[name] ?? value) : value]),
    )
    const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => part(changed(values.get(name) ?? "", 0.2)))
    const query = queryOf(endpoint.query === undefined && isDrawn(0.1) ? { isDry: true } : changed(queries[index], 0.4))
    const document = payload === undefined && isDrawn(0.1) ? { isDry: true } : changed(bodies[index], 0.7)
    const text = endpoint.method === "GET" || document === undefined ? undefined : toText(document)
    return {
      method: isDrawn(0.03) ? one(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]) : endpoint.method,
      path: `${path}${query}`,
      body: text === undefined || !isDrawn(0.15) ? text : spoil(text, dice),
      headers: isDrawn(0.05) ? { "content-type": one(["text/plain", "application/xml", "a/b; charset=utf-7"]) } : json,
    }
  })
}

/** The request, as a message may show it. */
export const shown = ({ method, path, body }: MadeRequest) => `${method} ${path} ${body ?? ""}`.slice(0, 500)

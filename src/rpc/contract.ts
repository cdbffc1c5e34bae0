import { Exit, Schema } from "effect"
import { InternalError, InvalidRequest, Misconfigured, ObjectUnavailable, PersonForgotten } from "../domain/error.ts"

/** Errors that any method may end with, beside its own. */
export type CommonError = InvalidRequest | InternalError | ObjectUnavailable | Misconfigured | PersonForgotten
const commonErrors = [InvalidRequest, InternalError, ObjectUnavailable, Misconfigured, PersonForgotten] as const

/**
 * An `Exit` as it crosses the wire: the JSON text of the codec of `Schema.Exit`, marked with the method's name so that a reply
 * cannot be opened by another contract. Text, because one string crosses faster than a tree of objects, and because a
 * recursive type would make TypeScript give up on the type of a service binding.
 */
export interface Reply<Name extends string> {
  readonly method: Name
  readonly exit: string
}

/**
 * What caller and callee agree on for one method. `Payload`, `Success` and `Failure` are the types a program sees,
 * `Wire` is the payload as it crosses.
 */
export interface Contract<Name extends string, Payload, Wire, Success, Failure> {
  readonly name: Name
  /** Whether calling twice does no more than calling once; only such methods are ever retried. */
  readonly idempotent: boolean
  /** The payload as JSON, for whoever makes payloads up. */
  readonly payload: Schema.Codec<Payload, Schema.Json>
  readonly encodePayload: (payload: Payload) => Exit.Exit<Wire, Schema.SchemaError>
  readonly decodePayload: (wire: unknown) => Exit.Exit<Payload, Schema.SchemaError>
  readonly encodeExit: (exit: Exit.Exit<Success, Failure | CommonError>) => string
  readonly decodeExit: (wire: unknown) => Exit.Exit<Exit.Exit<Success, Failure | CommonError>, Schema.SchemaError>
}

/** The payload of a contract as it crosses the wire: what a native method of a class takes. */
export type Wire<C> = C extends Contract<infer _N, infer _P, infer W, infer _A, infer _E> ? W : never

/** The payload of a contract as a program sees it. */
export type Payload<C> = C extends Contract<infer _N, infer P, infer _W, infer _A, infer _E> ? P : never

/**
 * Declares a method.
 *
 * ```ts
 * export const Wake = contract("wake", {
 *   payload: Schema.Struct({ userId: UserId }),
 *   success: Schema.Struct({ alarmAt: Schema.NullOr(Schema.Int) }),
 *   error: Schema.Never,
 *   idempotent: true,
 * })
 * ```
 */
export const contract = <const Name extends string, P, W, A, AW, E, EW>(
  name: Name,
  options: {
    readonly payload: Schema.Codec<P, W>
    readonly success: Schema.Codec<A, AW>
    readonly error: Schema.Codec<E, EW>
    readonly idempotent: boolean
  },
): Contract<Name, P, W, A, E> => {
  const payload = Schema.toCodecJson(options.payload)
  const exit = Schema.toCodecJson(
    Schema.Exit(options.success, Schema.Union([options.error, ...commonErrors]), Schema.Never),
  )
  // Most calls succeed, and then neither side has to try the codecs of all errors. The text is the same.
  const success = Schema.toCodecJson(options.success)
  const encodeSuccess = Schema.encodeUnknownSync(success)
  const succeeded = Schema.Struct({ _tag: Schema.Literal("Success"), value: success })
  const decodeSuccess = Schema.decodeUnknownExit(Schema.fromJsonString(succeeded))
  const startOfSuccess = '{"_tag":"Success","value":'
  const encodePayload = Schema.encodeUnknownExit(payload)
  const encode = Schema.encodeUnknownSync(exit)
  const decode = Schema.decodeUnknownExit(Schema.fromJsonString(exit))
  return {
    name,
    idempotent: options.idempotent,
    payload,
    // The JSON codec of a payload that is JSON already keeps its type; the contracts of pollen hold nothing else.
    encodePayload: (value) => encodePayload(value) as Exit.Exit<W, Schema.SchemaError>,
    decodePayload: Schema.decodeUnknownExit(payload, { errors: "all" }),
    encodeExit: (value) =>
      JSON.stringify(Exit.isSuccess(value) ? { _tag: "Success", value: encodeSuccess(value.value) } : encode(value)),
    decodeExit: (text) =>
      typeof text === "string" && text.startsWith(startOfSuccess)
        ? Exit.map(decodeSuccess(text), ({ value }) => Exit.succeed(value))
        : decode(text),
  }
}

import { Schema } from "effect"
import { contract } from "./contract.ts"

/** Longest push that is read, in UTF-16 code units, and no less than the gateway lets in: an entry of a push has no description. */
const longestPush = 64 * 1024

/** Longest signature that is looked at, in characters: SHA-512 takes 135. */
export const longestSignature = 256

const sourceId = Schema.String.pipe(Schema.check(Schema.isMaxLength(64)))

/**
 * Asks whether the pushes of a channel were asked for (`subscribe`), or are to end (`unsubscribe`); and says that they are refused
 * (`denied`). `isWanted` is the answer.
 */
export const ConfirmPushes = contract("confirmPushes", {
  payload: Schema.Struct({
    sourceId,
    mode: Schema.Literals(["subscribe", "unsubscribe", "denied"]),
    topic: Schema.String.pipe(Schema.check(Schema.isMaxLength(512))),
    /** For how long pushes are promised, in seconds. */
    leaseSeconds: Schema.Int,
  }),
  success: Schema.Struct({ isWanted: Schema.Boolean }),
  error: Schema.Never,
  idempotent: true,
})

/** Brings a push: a hint, which the API has to confirm. One that is not signed as it should be is dropped. Not `isWanted`: nobody follows the channel. */
export const TakePush = contract("takePush", {
  payload: Schema.Struct({
    sourceId,
    /** `X-Hub-Signature`. */
    signature: Schema.String.pipe(Schema.check(Schema.isMaxLength(longestSignature))),
    body: Schema.String.pipe(Schema.check(Schema.isMaxLength(longestPush))),
  }),
  success: Schema.Struct({ isWanted: Schema.Boolean }),
  error: Schema.Never,
  idempotent: true,
})

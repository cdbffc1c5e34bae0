import { Effect, Schema } from "effect"
import { SealBroken } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import { Secret } from "../../domain/token.ts"
import type { KeyRing } from "../keyring.ts"

/** A grant as it is sealed. */
export const Grant = Schema.Struct({
  accessToken: Secret,
  refreshToken: Secret,
  /** The refresh token before the last rotation, until the new one has worked once. */
  previousRefreshToken: Schema.NullOr(Secret),
  /** Of `previousRefreshToken` where that is of another grant, which this one replaced without having been tried. */
  replaced: Schema.optionalKey(
    Schema.Struct({ authorizedAt: Schema.NullOr(Schema.Int), client: Schema.NullOr(Schema.String) }),
  ),
  scope: Schema.Array(Schema.String),
})
export type Grant = typeof Grant.Type

const GrantJson = Schema.fromJsonString(Grant)
const encodeGrant = Schema.encodeSync(GrantJson)
const decodeGrant = Schema.decodeUnknownEffect(GrantJson)

const nonceLength = 12

/** Binds a seal to its owner: AES-GCM refuses to open it with any other additional data (NIST SP 800-38D). */
const additionalData = (userId: string, provider: Provider) =>
  new TextEncoder().encode(JSON.stringify(["pollen:grant:1", userId, provider]))

export interface Sealed {
  readonly keyId: string
  /** The nonce, then the ciphertext with its tag. */
  readonly sealed: Uint8Array
}

/** Seals a grant under the newest key. */
export const seal = Effect.fnUntraced(function* (keyRing: KeyRing, userId: string, provider: Provider, grant: Grant) {
  const key = keyRing.keys.get(keyRing.newestId)
  if (key === undefined) return yield* Effect.die("the key ring is empty")
  const nonce = crypto.getRandomValues(new Uint8Array(nonceLength))
  const plaintext = new TextEncoder().encode(encodeGrant(grant))
  const ciphertext = yield* Effect.promise(() =>
    crypto.subtle.encrypt(
      { name: "AES-GCM", iv: nonce, additionalData: additionalData(userId, provider) },
      key,
      plaintext,
    ),
  )
  const sealed = new Uint8Array(nonceLength + ciphertext.byteLength)
  sealed.set(nonce)
  sealed.set(new Uint8Array(ciphertext), nonceLength)
  return { keyId: keyRing.newestId, sealed } satisfies Sealed
})

/** Opens what was sealed for this person and provider. Fails with `SealBroken` for anybody else's, and without the key. */
export const open = Effect.fnUntraced(function* (
  keyRing: KeyRing,
  userId: string,
  provider: Provider,
  { keyId, sealed }: Sealed,
) {
  const key = keyRing.keys.get(keyId)
  if (key === undefined) return yield* new SealBroken({ provider, reason: "unknown_key", keyId })
  const broken = new SealBroken({ provider, reason: "does_not_open", keyId })
  const plaintext = yield* Effect.tryPromise({
    try: () =>
      crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: sealed.slice(0, nonceLength),
          additionalData: additionalData(userId, provider),
        },
        key,
        sealed.slice(nonceLength),
      ),
    catch: () => broken,
  })
  return yield* Effect.mapError(decodeGrant(new TextDecoder().decode(plaintext)), () => broken)
})

/** Two seals of the same bytes under the same key hold the same grant, which need not be opened again. */
export const isSameSeal = (a: Sealed, b: Sealed): boolean =>
  a.keyId === b.keyId &&
  a.sealed.length === b.sealed.length &&
  a.sealed.every((byte, index) => byte === b.sealed[index])

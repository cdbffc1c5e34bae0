import { createHash } from "node:crypto"
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose"

const issuer = "https://accounts.google.com"
const keyId = "simulator-key"
const lifetimeSeconds = 3600

/** Any of these in a grant's scope brings an ID token. */
const openIdScopes = ["openid", "email", "profile"]

export interface IdTokenInput {
  readonly person: string
  readonly clientId: string
  readonly scope: ReadonlyArray<string>
  readonly accessToken: string
  readonly nonce: string | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** The person's account number: 21 digits, as Google's are. */
const subjectOf = (person: string): string => {
  const digits = BigInt(`0x${createHash("sha256").update(person).digest("hex")}`) % 10n ** 20n
  return `1${digits.toString().padStart(20, "0")}`
}

/** OpenID Connect Core 1.0, 3.1.3.6: the left half of the digest. */
const halfDigest = (text: string): string =>
  createHash("sha256").update(text).digest().subarray(0, 16).toString("base64url")

/** Google's ID tokens: RS256, with a key that is made when it is first needed and lives as long as the simulator. */
export class IdTokens {
  private pair: Promise<CryptoKeyPair> | undefined

  static isDue(scope: ReadonlyArray<string>): boolean {
    return openIdScopes.some((one) => scope.includes(one))
  }

  async issue({ person, clientId, scope, accessToken, nonce, now }: IdTokenInput): Promise<string> {
    const { privateKey } = await this.keys()
    const seconds = Math.floor(now / 1000)
    return new SignJWT({
      azp: clientId,
      at_hash: halfDigest(accessToken),
      ...(scope.includes("email") ? { email: `${encodeURIComponent(person)}@example.com`, email_verified: true } : {}),
      ...(scope.includes("profile") ? { name: person } : {}),
      ...(nonce === null ? {} : { nonce }),
    })
      .setProtectedHeader({ alg: "RS256", kid: keyId, typ: "JWT" })
      .setIssuer(issuer)
      .setAudience(clientId)
      .setSubject(subjectOf(person))
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .sign(privateKey)
  }

  private keys(): Promise<CryptoKeyPair> {
    this.pair ??= generateKeyPair("RS256")
    return this.pair
  }

  /** A JSON Web Key Set (RFC 7517, 5). */
  async keySet(): Promise<{ readonly keys: ReadonlyArray<JWK> }> {
    const { publicKey } = await this.keys()
    return { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: "RS256", use: "sig" }] }
  }
}

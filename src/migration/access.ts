import { Effect, Option, Schema } from "effect"
import { createRemoteJWKSet, jwtVerify } from "jose"

/** Where Cloudflare Access signs, and for whom. */
interface AccessSettings {
  /** `your-team.cloudflareaccess.com`; with a scheme for tests. */
  readonly teamDomain: string
  /** The application's audience tag. */
  readonly audience: string
}

/** Who a token of Access was made for: a person has an e-mail address, a service token a name. */
const Claims = Schema.Struct({
  email: Schema.optionalKey(Schema.NonEmptyString),
  common_name: Schema.optionalKey(Schema.NonEmptyString),
  sub: Schema.optionalKey(Schema.String),
})
const decodeClaims = Schema.decodeUnknownOption(Claims)

/**
 * Verifies tokens of Cloudflare Access against the team's published keys, and gives whoever it was made for; `None` for any other
 * token. https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
 */
export const accessVerifier = ({ teamDomain, audience }: AccessSettings) => {
  const issuer = teamDomain.includes("://") ? teamDomain : `https://${teamDomain}`
  const keys = createRemoteJWKSet(new URL("/cdn-cgi/access/certs", issuer))
  return (token: string): Effect.Effect<Option.Option<string>> =>
    Effect.tryPromise({
      try: () => jwtVerify(token, keys, { issuer, audience, algorithms: ["RS256", "ES256"] }),
      catch: (error) => (error instanceof Error ? error.message : "unknown"),
    }).pipe(
      Effect.map(({ payload }) => Option.flatMap(decodeClaims(payload), actorOf)),
      // To whoever sent it, it is one that does not open the door; the operator can see whether that is because of the token, or
      // because the team's keys could not be read.
      Effect.catch((reason) =>
        Effect.as(Effect.logWarning(`A token of Cloudflare Access was not taken: ${reason}`), Option.none()),
      ),
    )
}

const actorOf = ({ email, common_name, sub }: typeof Claims.Type): Option.Option<string> => {
  const name = email ?? common_name ?? (sub === "" ? undefined : sub)
  return Option.map(Option.fromUndefinedOr(name), (known) => `access: ${known}`)
}

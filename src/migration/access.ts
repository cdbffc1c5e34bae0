import { Effect, Option, Schema } from "effect"
import { createRemoteJWKSet, jwtVerify } from "jose"

/** The Access team that signs tokens, and the application that they are for. */
interface AccessSettings {
  /** `your-team.cloudflareaccess.com`; tests add a scheme. */
  readonly teamDomain: string
  /** The application's audience tag. */
  readonly audience: string
}

/** The claims that identify the bearer of a token: a person has an e-mail address, a service token a name. */
const Claims = Schema.Struct({
  email: Schema.optionalKey(Schema.NonEmptyString),
  common_name: Schema.optionalKey(Schema.NonEmptyString),
  sub: Schema.optionalKey(Schema.String),
})
const decodeClaims = Schema.decodeUnknownOption(Claims)

/**
 * Returns a function that verifies tokens of Cloudflare Access against the team's published keys and gives the bearer's name; `None` for
 * any other token. https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
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
      // The client learns only that the token is not valid; the log says whether the token is at fault, or the team's keys could not
      // be read.
      Effect.catch((reason) =>
        Effect.as(Effect.logWarning(`A token of Cloudflare Access was refused: ${reason}`), Option.none()),
      ),
    )
}

const actorOf = ({ email, common_name, sub }: typeof Claims.Type): Option.Option<string> => {
  const name = email ?? common_name ?? (sub === "" ? undefined : sub)
  return Option.map(Option.fromUndefinedOr(name), (known) => `access: ${known}`)
}

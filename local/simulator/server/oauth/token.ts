import { createHash } from "node:crypto"
import { type Answer, type Call, json } from "../answer.ts"
import { IdTokens } from "../idTokens.ts"
import type { World } from "../state/world.ts"
import { type Authenticated, authenticateClient } from "./client.ts"
import type { Dialect } from "./dialect.ts"
import { noStore, oauthError } from "./error.ts"

interface Issued {
  readonly person: string
  readonly accessToken: string
  readonly scope: ReadonlyArray<string>
  /** `null` for none in the answer. */
  readonly refreshToken: string | null
  /** From the request for consent, to be repeated in the ID token. */
  readonly nonce: string | null
}

/** The token endpoint: an authorization code or a refresh token for an access token. */
export const exchangeToken = async (world: World, dialect: Dialect, call: Call): Promise<Answer> => {
  if (call.method !== "POST") return oauthError(405, "invalid_request", "POST only")
  const form = new URLSearchParams(call.body)
  const client = authenticateClient(world, dialect, call, form)
  if ("status" in client) return client
  const grantType = form.get("grant_type")
  if (grantType === null) return oauthError(400, "invalid_request", dialect.missing("grant_type"))
  const issued =
    grantType === "refresh_token"
      ? refresh(world, dialect, client, form)
      : grantType === "authorization_code"
        ? exchangeCode(world, dialect, client, form)
        : oauthError(400, "unsupported_grant_type", dialect.unsupportedGrant(grantType))
  if ("status" in issued) return issued
  const idToken = await idTokenFor(world, dialect, client, issued)
  return json(
    200,
    {
      access_token: issued.accessToken,
      token_type: "Bearer",
      expires_in: world.grants.lifetimeSeconds - dialect.announcedEarlierBySeconds,
      scope: issued.scope.join(" "),
      ...(issued.refreshToken === null ? {} : { refresh_token: issued.refreshToken }),
      ...(idToken === undefined ? {} : { id_token: idToken }),
    },
    noStore,
  )
}

const idTokenFor = async (
  world: World,
  dialect: Dialect,
  client: Authenticated,
  issued: Issued,
): Promise<string | undefined> => {
  if (dialect.provider !== "youtube" || !IdTokens.isDue(issued.scope)) return undefined
  const token = await world.idTokens.issue({ ...issued, clientId: client.id, now: world.clock.now() })
  world.secrets.push(token)
  return token
}

const refresh = (world: World, dialect: Dialect, client: Authenticated, form: URLSearchParams): Issued | Answer => {
  const token = form.get("refresh_token")
  if (!token) return oauthError(400, "invalid_request", dialect.missing("refresh_token"))
  const presented = world.grants.present(token)
  if (presented === undefined || presented.provider !== dialect.provider) {
    return oauthError(400, "invalid_grant", dialect.unknownRefreshToken)
  }
  if (presented.confidential && !client.confidential) {
    return oauthError(400, "invalid_client", dialect.wrongSecret[1])
  }
  if (presented.clientId !== client.id) return oauthError(...dialect.foreignRefreshToken)
  const refreshed = world.grants.refresh(token)
  return refreshed === undefined
    ? oauthError(400, "invalid_grant", dialect.deadRefreshToken)
    : { ...refreshed, person: presented.person, nonce: null }
}

const exchangeCode = (
  world: World,
  dialect: Dialect,
  client: Authenticated,
  form: URLSearchParams,
): Issued | Answer => {
  const text = form.get("code")
  if (!text) return oauthError(400, "invalid_request", dialect.missing("code"))
  const code = world.codes.take(text)
  if (code === undefined || code.provider !== dialect.provider || code.clientId !== client.id) {
    return oauthError(400, "invalid_grant", dialect.wrongCode)
  }
  if (form.get("redirect_uri") !== code.redirectUri) return oauthError(400, ...dialect.wrongRedirect)
  const verifier = form.get("code_verifier")
  if (code.challenge === null) {
    // Without proof of possession a code is worth nothing from a client without a secret.
    if (!client.confidential) return oauthError(400, "invalid_client", dialect.wrongSecret[1])
  } else {
    if (verifier === null) return oauthError(400, "invalid_request", dialect.missing("code_verifier"))
    const challenge = createHash("sha256").update(verifier).digest("base64url")
    if (challenge !== code.challenge) return oauthError(400, "invalid_grant", dialect.wrongVerifier)
  }
  const { accessToken, refreshToken, scope } = world.grants.grant(
    code.person,
    code.provider,
    { scope: code.scope, clientId: client.id },
    { confidential: client.confidential, offline: code.offline },
  )
  return {
    ...{ person: code.person, accessToken, scope, nonce: code.nonce },
    refreshToken: code.offline ? refreshToken : null,
  }
}

import type { Provider } from "../../model.ts"

/** How each provider words the same refusal. */
export interface Dialect {
  readonly provider: Provider
  readonly unknownClient: readonly [status: number, description: string]
  readonly wrongSecret: readonly [status: number, description: string]
  readonly unknownRefreshToken: string
  readonly deadRefreshToken: string
  readonly foreignRefreshToken: readonly [status: number, error: string, description: string]
  readonly wrongCode: string
  readonly wrongVerifier: string
  readonly wrongRedirect: readonly [error: string, description: string]
  readonly missing: (parameter: string) => string
  readonly unsupportedGrant: (grantType: string) => string
  /** Spotify knows clients without a secret (PKCE); Google wants it from every client of the web. */
  readonly allowsPublicClients: boolean
  /** What `expires_in` falls short of the true lifetime, in seconds. */
  readonly announcedEarlierBySeconds: number
}

export const spotifyDialect: Dialect = {
  provider: "spotify",
  unknownClient: [400, "Invalid client"],
  wrongSecret: [400, "Invalid client secret"],
  unknownRefreshToken: "Invalid refresh token",
  deadRefreshToken: "Refresh token revoked",
  foreignRefreshToken: [400, "invalid_grant", "Invalid refresh token"],
  wrongCode: "Invalid authorization code",
  wrongVerifier: "code_verifier was incorrect",
  wrongRedirect: ["invalid_grant", "Invalid redirect URI"],
  missing: (parameter) => `${parameter} must be supplied`,
  unsupportedGrant: () => "grant_type must be client_credentials, authorization_code or refresh_token",
  allowsPublicClients: true,
  announcedEarlierBySeconds: 0,
}

export const googleDialect: Dialect = {
  provider: "youtube",
  unknownClient: [401, "The OAuth client was not found."],
  wrongSecret: [401, "Unauthorized"],
  unknownRefreshToken: "Bad Request",
  deadRefreshToken: "Token has been expired or revoked.",
  foreignRefreshToken: [401, "unauthorized_client", "Unauthorized"],
  wrongCode: "Malformed auth code.",
  wrongVerifier: "Invalid code verifier.",
  wrongRedirect: ["redirect_uri_mismatch", "Bad Request"],
  missing: (parameter) => `Missing required parameter: ${parameter}`,
  unsupportedGrant: (grantType) => `Invalid grant_type: ${grantType}`,
  allowsPublicClients: false,
  announcedEarlierBySeconds: 1,
}

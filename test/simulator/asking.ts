import * as oauth from "oauth4webapi"
import type { Provider } from "../../local/simulator/model.ts"
import type { Simulator } from "../../local/simulator/server/start.ts"

export const insecure = { [oauth.allowInsecureRequests]: true }

interface Refresh {
  readonly clientId?: string
  readonly secret?: string
  /** The token endpoint's origin unless told. */
  readonly issuer?: string
}

/** A refresh by `oauth4webapi`, which refuses what a careful client would. */
export const refreshAt = async (
  { client: { endpoints } }: Simulator,
  provider: Provider,
  refreshToken: string,
  { clientId = "simulator-client", secret = "simulator-secret", issuer }: Refresh = {},
) => {
  const { token } = endpoints[provider]
  const server: oauth.AuthorizationServer = {
    issuer: issuer ?? new URL(token).origin,
    token_endpoint: token,
    jwks_uri: endpoints.youtube.certs,
  }
  const client: oauth.Client = { client_id: clientId }
  const authentication = oauth.ClientSecretPost(secret)
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, insecure)
  const tokens = await oauth.processRefreshTokenResponse(server, client, response)
  return { tokens, response, server }
}

/** The error and status by which a refresh is refused, or `accepted`. */
export const refusalOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => "accepted",
    (error: unknown) => {
      if (error instanceof oauth.ResponseBodyError) return `${error.status} ${error.error}`
      throw error
    },
  )

export const getWith = (token: string, url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })

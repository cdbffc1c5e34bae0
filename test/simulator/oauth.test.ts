import * as oauth from "oauth4webapi"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Provider } from "../../local/simulator/model.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const insecure = { [oauth.allowInsecureRequests]: true }
const client: oauth.Client = { client_id: "simulator-client" }
const redirectUri = "https://pollen.example/callback"
const clientAuthentication = {
  "HTTP Basic": oauth.ClientSecretBasic("simulator-secret"),
  "parameters of the body": oauth.ClientSecretPost("simulator-secret"),
}

const serverOf = (provider: Provider): oauth.AuthorizationServer => ({
  issuer: simulator.url,
  authorization_endpoint: simulator.client.endpoints[provider].authorize,
  token_endpoint: simulator.client.endpoints[provider].token,
})

interface Consent {
  readonly parameters?: Record<string, string>
  readonly authentication?: oauth.ClientAuth
  /** Sent in place of the verifier that belongs to the challenge. */
  readonly wrongVerifier?: string
}

/** The whole way through the browser: consent, redirect, exchange. */
const consent = async (provider: Provider, person: string, options: Consent = {}) => {
  const server = serverOf(provider)
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const page = new URL(server.authorization_endpoint ?? "")
  page.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: provider === "spotify" ? "user-library-read" : "https://www.googleapis.com/auth/youtube.readonly",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    person,
    ...options.parameters,
  }).toString()
  const redirect = await fetch(page, { redirect: "manual" })
  expect(redirect.status).toBe(302)
  const parameters = oauth.validateAuthResponse(server, client, new URL(redirect.headers.get("location") ?? ""), state)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    options.authentication ?? clientAuthentication["HTTP Basic"],
    parameters,
    redirectUri,
    options.wrongVerifier ?? verifier,
    insecure,
  )
  expect(response.headers.get("cache-control")).toBe("no-store")
  return oauth.processAuthorizationCodeResponse(server, client, response)
}

const refresh = async (
  provider: Provider,
  refreshToken: string,
  authentication: oauth.ClientAuth = clientAuthentication["HTTP Basic"],
) => {
  const server = serverOf(provider)
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, insecure)
  return oauth.processRefreshTokenResponse(server, client, response)
}

const refusal = async (attempt: Promise<unknown>): Promise<{ error: string; status: number; description?: string }> => {
  const error = await attempt.then(
    () => new Error("it was accepted"),
    (cause: unknown) => cause,
  )
  if (!(error instanceof oauth.ResponseBodyError)) throw error
  return { error: error.error, status: error.status, description: error.error_description ?? "" }
}

const post = (provider: Provider, form: Record<string, string>) =>
  fetch(simulator.client.endpoints[provider].token, { method: "POST", body: new URLSearchParams(form) })

describe("consent", () => {
  test.each(Object.entries(clientAuthentication))("a Spotify code is exchanged by %s", async (name, authentication) => {
    const tokens = await consent("spotify", `consent ${name}`, { authentication })
    expect(tokens).toMatchObject({ token_type: "bearer", expires_in: 3600, scope: "user-library-read" })
    expect(tokens.access_token).toMatch(/^BQsim/)
    expect(tokens.refresh_token).toMatch(/^AQsim/)
  })

  test("a Spotify client without a secret proves itself by PKCE, and refreshes without one", async () => {
    const tokens = await consent("spotify", "public", { authentication: oauth.None() })
    const next = await refresh("spotify", tokens.refresh_token ?? "", oauth.None())
    expect(next.access_token).toMatch(/^BQsim/)
  })

  test("what a confidential client was given is not refreshed without its secret", async () => {
    const tokens = await consent("spotify", "confidential")
    expect(await refusal(refresh("spotify", tokens.refresh_token ?? "", oauth.None()))).toMatchObject({
      error: "invalid_client",
    })
  })

  test("a verifier that does not belong to the challenge is refused", async () => {
    const wrongVerifier = oauth.generateRandomCodeVerifier()
    expect(await refusal(consent("spotify", "wrong", { wrongVerifier }))).toMatchObject({
      error: "invalid_grant",
      status: 400,
    })
  })

  test("Google gives a refresh token only for offline access with a page of consent", async () => {
    const online = await consent("youtube", "online")
    expect(online.refresh_token).toBeUndefined()
    expect(online.expires_in).toBe(3599)
    const offlineOnly = await consent("youtube", "online", { parameters: { access_type: "offline" } })
    expect(offlineOnly.refresh_token).toBeUndefined()
    const parameters = { access_type: "offline", prompt: "consent" }
    expect((await consent("youtube", "offline", { parameters })).refresh_token).toMatch(/^1\/\/sim/)
  })

  test("a code works once", async () => {
    const page = new URL(simulator.client.endpoints.spotify.authorize)
    page.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: "code",
      person: "twice",
    }).toString()
    const { headers } = await fetch(page, { redirect: "manual" })
    const exchange = {
      grant_type: "authorization_code",
      code: new URL(headers.get("location") ?? "").searchParams.get("code") ?? "",
      redirect_uri: redirectUri,
      client_id: client.client_id,
      client_secret: "simulator-secret",
    }
    expect((await post("spotify", exchange)).status).toBe(200)
    const second = await post("spotify", exchange)
    expect(second.status).toBe(400)
    expect(await second.json()).toEqual({ error: "invalid_grant", error_description: "Invalid authorization code" })
  })

  test("a person who says no comes back with access_denied", async () => {
    await expect(consent("spotify", "no", { parameters: { deny: "1" } })).rejects.toMatchObject({
      error: "access_denied",
    })
  })
})

describe("refusals", () => {
  test.each([
    ["spotify", 400],
    ["youtube", 401],
  ] as const)("a wrong secret at %s is invalid_client with status %i", async (provider, status) => {
    const { refreshToken } = await simulator.client.grant("wrong secret", provider)
    const response = await post(provider, {
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: "simulator-client",
      client_secret: "guessed",
    })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: "invalid_client", error_description: expect.any(String) })
  })

  test.each(["spotify", "youtube"] as const)("%s words bad requests as RFC 6749 does", async (provider) => {
    const credentials = { client_id: "simulator-client", client_secret: "simulator-secret" }
    const errorOf = async (form: Record<string, string>) => {
      const response = await post(provider, { ...credentials, ...form })
      return [response.status, ((await response.json()) as { error: string }).error]
    }
    expect(await errorOf({})).toEqual([400, "invalid_request"])
    expect(await errorOf({ grant_type: "refresh_token" })).toEqual([400, "invalid_request"])
    expect(await errorOf({ grant_type: "password" })).toEqual([400, "unsupported_grant_type"])
    expect(await errorOf({ grant_type: "refresh_token", refresh_token: "made up" })).toEqual([400, "invalid_grant"])
  })

  test.each(["spotify", "youtube"] as const)("a revoked grant of %s is invalid_grant", async (provider) => {
    const { refreshToken } = await simulator.client.grant("revoked", provider)
    await simulator.client.revoke("revoked", provider)
    expect(await refusal(refresh(provider, refreshToken))).toEqual({
      error: "invalid_grant",
      status: 400,
      description: provider === "spotify" ? "Refresh token revoked" : "Token has been expired or revoked.",
    })
    expect((await simulator.client.tokenState("revoked", provider)).validRefreshTokens).toEqual([])
  })

  test("Google's revocation by access token kills the refresh token", async () => {
    const { accessToken, refreshToken } = await simulator.client.grant("revoking", "youtube")
    const body = new URLSearchParams({ token: accessToken })
    expect((await fetch(simulator.client.endpoints.youtube.revoke, { method: "POST", body })).status).toBe(200)
    expect(await refusal(refresh("youtube", refreshToken))).toMatchObject({ error: "invalid_grant" })
  })
})

describe("rotation", () => {
  test("a Google refresh carries no refresh token, and the old one stays good", async () => {
    const { refreshToken } = await simulator.client.grant("steady", "youtube")
    expect((await refresh("youtube", refreshToken)).refresh_token).toBeUndefined()
    expect((await refresh("youtube", refreshToken)).refresh_token).toBeUndefined()
    const state = await simulator.client.tokenState("steady", "youtube")
    expect(state).toEqual({
      validRefreshTokens: [refreshToken],
      newestRefreshToken: refreshToken,
      reuses: 0,
      refreshes: 2,
    })
  })

  test("a rotated Spotify token is accepted until the new one is used", async () => {
    const { refreshToken: first } = await simulator.client.grant("rotating", "spotify")
    const second = (await refresh("spotify", first)).refresh_token ?? ""
    expect(second).not.toBe(first)
    const third = (await refresh("spotify", first)).refresh_token ?? ""
    expect(third).not.toBe(second)
    await refresh("spotify", third)
    expect(await refusal(refresh("spotify", first))).toMatchObject({ error: "invalid_grant" })
    expect(await refusal(refresh("spotify", second))).toMatchObject({ error: "invalid_grant" })
  })

  test("a single-use token dies at its first use, and using it again is counted", async () => {
    const own = await startSimulator({ refreshTokenRotation: { spotify: "single-use" } })
    const { refreshToken } = await own.client.grant("once", "spotify")
    const form = { grant_type: "refresh_token", refresh_token: refreshToken }
    const headers = { authorization: `Basic ${btoa("simulator-client:simulator-secret")}` }
    const attempt = () =>
      fetch(own.client.endpoints.spotify.token, { method: "POST", headers, body: new URLSearchParams(form) })
    expect((await attempt()).status).toBe(200)
    expect((await own.client.tokenState("once", "spotify")).reuses).toBe(0)
    expect((await attempt()).status).toBe(400)
    const state = await own.client.tokenState("once", "spotify")
    expect(state).toMatchObject({ reuses: 1, refreshes: 1 })
    expect(state.validRefreshTokens).toEqual([state.newestRefreshToken])
    const uses = await own.client.ledger({ person: "once", kind: "token" })
    expect(uses.map(({ refreshTokenReused }) => refreshTokenReused)).toEqual([false, true])
    expect(uses.map(({ grantType }) => grantType)).toEqual(["refresh_token", "refresh_token"])
    await own.close()
  })

  test("the mode can change while the simulator runs", async () => {
    const own = await startSimulator()
    await own.client.setRotation("youtube", "rotate")
    const { refreshToken } = await own.client.grant("changed", "youtube")
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: "simulator-client",
      client_secret: "simulator-secret",
    })
    const response = await fetch(own.client.endpoints.youtube.token, { method: "POST", body })
    expect(await response.json()).toMatchObject({ refresh_token: expect.stringMatching(/^1\/\/sim/) })
    await own.close()
  })

  test("a refresh whose answer is lost has rotated the token all the same", async () => {
    const { refreshToken } = await simulator.client.grant("lost answer", "spotify")
    await simulator.client.setFaults([
      {
        match: { person: "lost answer", kind: "token" },
        fault: { type: "reset" },
        times: 1,
        afterProcessing: true,
      },
    ])
    await expect(refresh("spotify", refreshToken)).rejects.toThrow()
    const state = await simulator.client.tokenState("lost answer", "spotify")
    expect(state.refreshes).toBe(1)
    expect(state.newestRefreshToken).not.toBe(refreshToken)
    expect(await simulator.client.secrets()).toContain(state.newestRefreshToken)
  })

  test("a refresh that fails before it is processed changes nothing", async () => {
    const { refreshToken } = await simulator.client.grant("outage", "spotify")
    const types = [{ type: "status", status: 503 }, { type: "reset" }, { type: "truncated" }, { type: "html" }] as const
    await simulator.client.setFaults(
      types.map((fault) => ({ match: { person: "outage", kind: "token" }, fault, times: 1 })),
    )
    for (const _ of types) await expect(refresh("spotify", refreshToken)).rejects.toThrow()
    expect(await simulator.client.tokenState("outage", "spotify")).toEqual({
      validRefreshTokens: [refreshToken],
      newestRefreshToken: refreshToken,
      reuses: 0,
      refreshes: 0,
    })
  })
})

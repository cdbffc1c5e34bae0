import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose"
import * as oauth from "oauth4webapi"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { insecure, refreshAt } from "./asking.ts"

const issuer = "https://accounts.google.com"
const youtube = "https://www.googleapis.com/auth/youtube.readonly"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const refreshWith = async (person: string, scope: ReadonlyArray<string>, expected?: string) => {
  const { refreshToken } = await simulator.client.grant(person, "youtube", { scope: [...scope, youtube] })
  return refreshAt(simulator, "youtube", refreshToken, expected === undefined ? {} : { issuer: expected })
}

test("a client that takes the token endpoint's origin for the issuer cannot refresh a grant with openid", async () => {
  await expect(refreshWith("trapped", ["openid"])).rejects.toMatchObject({
    code: oauth.JWT_CLAIM_COMPARISON,
    cause: { claim: "iss", claims: { iss: issuer } },
  })
})

test.each([["openid"], ["email"], ["profile"]])(
  "a Google grant with %s brings an ID token that Google's issuer and keys prove",
  async (scope) => {
    const before = Math.floor(Date.now() / 1000)
    const { tokens, response, server } = await refreshWith(`signed ${scope}`, [scope], issuer)
    await oauth.validateApplicationLevelSignature(server, response, insecure)
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    expect(claims).toMatchObject({ iss: issuer, aud: "simulator-client", sub: expect.stringMatching(/^1\d{20}$/) })
    expect(claims?.exp).toBe((claims?.iat ?? 0) + 3600)
    expect(claims?.iat).toBeGreaterThanOrEqual(before)
    expect(claims?.iat).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
    expect(await simulator.client.secrets()).toContain(tokens.id_token)
  },
)

test("an ID token of the simulator is RS256 under the key that its certificates' address names", async () => {
  const { tokens } = await refreshWith("keyed", ["openid", "email"], issuer)
  const keys = createRemoteJWKSet(new URL(simulator.client.endpoints.youtube.certs))
  const { payload } = await jwtVerify(tokens.id_token ?? "", keys, { issuer, audience: "simulator-client" })
  expect(payload).toMatchObject({ email: "keyed@example.com", email_verified: true })
  expect(decodeProtectedHeader(tokens.id_token ?? "").alg).toBe("RS256")
  const foreign = await startSimulator()
  const otherKeys = createRemoteJWKSet(new URL(foreign.client.endpoints.youtube.certs))
  await expect(jwtVerify(tokens.id_token ?? "", otherKeys)).rejects.toThrow("signature verification failed")
  await foreign.close()
})

test("neither a Google grant without such a scope nor any Spotify grant brings an ID token", async () => {
  expect((await refreshWith("plain", [])).tokens.id_token).toBeUndefined()
  const { refreshToken } = await simulator.client.grant("plain", "spotify", { scope: ["openid"] })
  expect((await refreshAt(simulator, "spotify", refreshToken)).tokens.id_token).toBeUndefined()
})

test("an exchanged code brings an ID token with the nonce that the page of consent was given", async () => {
  const { authorize, token } = simulator.client.endpoints.youtube
  const redirectUri = "https://pollen.example/callback"
  const server: oauth.AuthorizationServer = { issuer, token_endpoint: token }
  const client: oauth.Client = { client_id: "simulator-client" }
  const verifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  const page = new URL(authorize)
  page.search = new URLSearchParams({
    ...{ client_id: client.client_id, redirect_uri: redirectUri, response_type: "code", person: "new", nonce },
    scope: `openid profile ${youtube}`,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }).toString()
  const { headers } = await fetch(page, { redirect: "manual" })
  const callback = new URL(headers.get("location") ?? "")
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.ClientSecretPost("simulator-secret"),
    oauth.validateAuthResponse(server, client, callback),
    redirectUri,
    verifier,
    insecure,
  )
  const options = { expectedNonce: nonce, requireIdToken: true }
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, options)
  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ name: "new", nonce })
})

import type { Provider } from "../../model.ts"
import { type Answer, type Call, text } from "../answer.ts"
import type { World } from "../state/world.ts"

/** Who consents: the parameter `person`, which no real provider has, or Google's `login_hint`. */
export const consentingPerson = (call: Call): string | null => call.query.get("person") ?? call.query.get("login_hint")

/**
 * The page of consent, agreed to at once: redirects with a code. `deny=1` stands for a person who says no.
 * What cannot be sent back safely (an unknown client, no redirect) is a plain 400, as RFC 6749 (4.1.2.1) demands.
 */
export const authorize = (world: World, provider: Provider, call: Call): Answer => {
  const { query } = call
  const redirectUri = query.get("redirect_uri")
  const client = world.clients[provider].find(query.get("client_id"))
  if (client === undefined) return text(400, "INVALID_CLIENT: Invalid client")
  if (redirectUri === null || !URL.canParse(redirectUri)) return text(400, "INVALID_CLIENT: Invalid redirect URI")
  const person = consentingPerson(call)
  if (person === null) return text(400, "The simulator needs the parameter person: whose consent is this?")

  const target = new URL(redirectUri)
  const state = query.get("state")
  const back = (parameters: Record<string, string>): Answer => {
    for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value)
    if (state !== null) target.searchParams.set("state", state)
    return { status: 302, headers: { location: target.href, "cache-control": "no-store" }, body: "" }
  }
  if (query.get("response_type") !== "code") return back({ error: "unsupported_response_type" })
  const challenge = query.get("code_challenge")
  if (challenge !== null && query.get("code_challenge_method") !== "S256") return back({ error: "invalid_request" })
  if (query.get("deny") !== null) return back({ error: "access_denied" })

  const offline =
    provider === "spotify" || (query.get("access_type") === "offline" && query.get("prompt") === "consent")
  const scope = (query.get("scope") ?? "").split(" ").filter((part) => part !== "")
  const code = world.codes.issue({
    ...{ provider, person, scope, redirectUri, challenge, offline },
    clientId: client.id,
    nonce: query.get("nonce"),
  })
  return back(provider === "spotify" ? { code } : { code, scope: scope.join(" ") })
}

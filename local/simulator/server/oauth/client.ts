import { type Answer, type Call, header } from "../answer.ts"
import type { World } from "../state/world.ts"
import type { Dialect } from "./dialect.ts"
import { oauthError } from "./error.ts"

export interface Authenticated {
  readonly id: string
  /** Whether the client proved itself with its secret. */
  readonly confidential: boolean
}

const basic = (call: Call): readonly [id: string, secret: string] | null => {
  const [scheme, value] = header(call, "authorization")?.split(" ") ?? []
  if (scheme?.toLowerCase() !== "basic" || value === undefined) return null
  const credentials = Buffer.from(value, "base64").toString()
  const colon = credentials.indexOf(":")
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  const decode = (part: string) => new URLSearchParams(`=${part.replaceAll("&", "%26")}`).get("") ?? ""
  return colon === -1
    ? [decode(credentials), ""]
    : [decode(credentials.slice(0, colon)), decode(credentials.slice(colon + 1))]
}

/** What a token request says of its client, by HTTP Basic or by parameters of the body. */
export const presentedClient = (call: Call, form: URLSearchParams) => {
  const fromHeader = basic(call)
  return {
    id: fromHeader?.[0] ?? form.get("client_id"),
    secret: fromHeader?.[1] ?? form.get("client_secret"),
  }
}

/** By HTTP Basic or by parameters of the body; a client without a secret names itself in the body. */
export const authenticateClient = (
  world: World,
  dialect: Dialect,
  call: Call,
  form: URLSearchParams,
): Authenticated | Answer => {
  const { id, secret } = presentedClient(call, form)
  const known = world.clients[dialect.provider].find(id)
  const [unknownStatus, unknownText] = dialect.unknownClient
  if (known === undefined) return oauthError(unknownStatus, "invalid_client", unknownText)
  if (secret === null) {
    if (!dialect.allowsPublicClients) return oauthError(400, "invalid_request", "client_secret is missing.")
    return { id: known.id, confidential: false }
  }
  const [wrongStatus, wrongText] = dialect.wrongSecret
  if (secret !== known.secret) return oauthError(wrongStatus, "invalid_client", wrongText)
  return { id: known.id, confidential: true }
}

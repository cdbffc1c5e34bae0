import { type Answer, type Call, json } from "../answer.ts"
import type { World } from "../state/world.ts"
import { noStore, oauthError } from "./error.ts"

/** The token named in the query or in the body, access or refresh. */
export const revokedToken = (call: Call): string | null =>
  call.query.get("token") ?? new URLSearchParams(call.body).get("token")

/** Google's revocation: either token of a person takes all of them along. */
export const revoke = (world: World, call: Call): Answer => {
  const token = revokedToken(call)
  if (token === null) return oauthError(400, "invalid_request", "Missing required parameter: token")
  const owner = world.grants.access(token) ?? world.grants.present(token)
  if (owner === undefined || owner.provider !== "youtube") {
    return oauthError(400, "invalid_token", "Token expired or revoked")
  }
  world.grants.revoke(owner.person, "youtube")
  return json(200, {}, noStore)
}

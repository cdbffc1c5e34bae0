import type { Provider, RequestKind } from "../model.ts"
import { type Answer, bearer, type Call, json, text } from "./answer.ts"
import { authorize, consentingPerson } from "./oauth/authorize.ts"
import { googleDialect, spotifyDialect } from "./oauth/dialect.ts"
import { revoke, revokedToken } from "./oauth/revoke.ts"
import { exchangeToken } from "./oauth/token.ts"
import { answerSpotify } from "./spotify/api.ts"
import type { World } from "./state/world.ts"
import { answerYoutube } from "./youtube/api.ts"
import { answerFeed } from "./youtube/feed.ts"
import { answerPushRequest } from "./youtube/push.ts"

/** One endpoint: what it is for, who asks there, and its answer. */
export interface Route {
  readonly provider: Provider | null
  readonly kind: RequestKind
  readonly person: (world: World, call: Call) => string | null
  readonly answer: (world: World, call: Call) => Answer | Promise<Answer>
}

const personOfAccessToken = (world: World, call: Call): string | null =>
  world.grants.access(bearer(call) ?? "")?.person ?? null

const personOfForm = (world: World, call: Call): string | null => {
  const form = new URLSearchParams(call.body)
  const refreshToken = world.grants.present(form.get("refresh_token") ?? "")
  return refreshToken?.person ?? world.codes.peek(form.get("code") ?? "")?.person ?? null
}

const personOfRevokedToken = (world: World, call: Call): string | null => {
  const token = revokedToken(call) ?? ""
  return (world.grants.access(token) ?? world.grants.present(token))?.person ?? null
}

const fixed: Readonly<Record<string, Route>> = {
  "/spotify/accounts/authorize": {
    provider: "spotify",
    kind: "other",
    person: (_, call) => consentingPerson(call),
    answer: (world, call) => authorize(world, "spotify", call),
  },
  "/spotify/accounts/api/token": {
    provider: "spotify",
    kind: "token",
    person: personOfForm,
    answer: (world, call) => exchangeToken(world, spotifyDialect, call),
  },
  "/google/auth/o/oauth2/v2/auth": {
    provider: "youtube",
    kind: "other",
    person: (_, call) => consentingPerson(call),
    answer: (world, call) => authorize(world, "youtube", call),
  },
  "/google/oauth2/token": {
    provider: "youtube",
    kind: "token",
    person: personOfForm,
    answer: (world, call) => exchangeToken(world, googleDialect, call),
  },
  "/google/oauth2/revoke": { provider: "youtube", kind: "other", person: personOfRevokedToken, answer: revoke },
  "/google/api/oauth2/v3/certs": {
    provider: "youtube",
    kind: "other",
    person: () => null,
    answer: async (world) => json(200, await world.idTokens.keySet()),
  },
  "/youtube/feeds/videos.xml": { provider: "youtube", kind: "items", person: () => null, answer: answerFeed },
  "/youtube/websub/subscribe": { provider: "youtube", kind: "other", person: () => null, answer: answerPushRequest },
}

const spotifyKind = (path: string): RequestKind => {
  if (path === "/me/shows") return "library"
  if (/^\/shows\/[^/]+\/episodes$/.test(path)) return "items"
  return /^\/(shows|episodes)(\/|$)/.test(path) ? "details" : "other"
}

const youtubeKinds: Readonly<Record<string, RequestKind>> = {
  subscriptions: "library",
  playlistItems: "items",
  videos: "details",
  channels: "details",
}

const spotifyPrefix = "/spotify/api/v1"
/** The second as Google's own client asks: it keeps only the host of a root URL. */
const youtubePrefixes = ["/google/api/youtube/v3/", "/youtube/v3/"]

const providerOf = (path: string): Provider | null => {
  if (path.startsWith("/spotify/")) return "spotify"
  return path.startsWith("/google/") || path.startsWith("/youtube/") ? "youtube" : null
}

export const routeOf = (path: string): Route => {
  const known = fixed[path]
  if (known !== undefined) return known
  if (path.startsWith(`${spotifyPrefix}/`)) {
    const kind = spotifyKind(path.slice(spotifyPrefix.length))
    return { provider: "spotify", kind, person: personOfAccessToken, answer: answerSpotify }
  }
  const youtubePrefix = youtubePrefixes.find((prefix) => path.startsWith(prefix))
  if (youtubePrefix !== undefined) {
    const kind = youtubeKinds[path.slice(youtubePrefix.length)] ?? "other"
    return { provider: "youtube", kind, person: personOfAccessToken, answer: answerYoutube }
  }
  return {
    provider: providerOf(path),
    kind: "other",
    person: personOfAccessToken,
    answer: () => text(404, "Not found"),
  }
}

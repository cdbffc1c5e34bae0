import { type Answer, bearer, type Call, header, json, text } from "../answer.ts"
import { tagged } from "../etag.ts"
import type { Item, Source } from "../state/catalogue.ts"
import type { AccessToken } from "../state/grants.ts"
import { look, shownOf } from "../state/looks.ts"
import type { World } from "../state/world.ts"
import { spotifyError, spotifyRateLimited } from "./error.ts"
import { episodeObject, pagingObject, savedShowObject, showObject } from "./objects.ts"

const prefix = "/spotify/api/v1"
const cached = { "cache-control": "private, max-age=0" }

/** `api.spotify.com/v1`, as far as shows and episodes go. */
export const answerSpotify = (world: World, call: Call): Answer => {
  const token = authorized(world, call)
  if ("status" in token) return token
  if (!world.clients.spotify.isAllowed(token.clientId, token.person)) return notRegistered
  const refused = admitted(world, token)
  if (refused !== undefined) return refused
  if (call.method !== "GET") return spotifyError(405, "Method not allowed")
  const [collection, id, part, ...rest] = call.path
    .slice(prefix.length + 1)
    .split("/")
    .map(decoded)
  if (rest.length > 0) return serviceNotFound
  if (collection === "me" && id === undefined) return profile(call, token)
  if (collection === "me" && id === "shows" && part === undefined) return savedShows(world, call, token)
  if (collection === "shows" && id === undefined) return severalShows(world, call)
  if (collection === "episodes" && id === undefined) return severalEpisodes(world, call, token)
  if (collection === "shows" && id !== undefined && part === undefined) return show(world, call, token, id)
  if (collection === "shows" && id !== undefined && part === "episodes") return episodes(world, call, token, id)
  if (collection === "episodes" && id !== undefined && part === undefined) return episode(world, call, token, id)
  return serviceNotFound
}

const serviceNotFound = spotifyError(404, "Service not found")
/** Development mode. The one refusal that is no JSON. */
const notRegistered = text(403, "User not registered in the Developer Dashboard")
const forbidden = spotifyError(403, "Forbidden")
const invalidId = spotifyError(400, "Invalid base62 id")
const notFound = spotifyError(404, "Resource not found")

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const authorized = (world: World, call: Call): AccessToken | Answer => {
  const presented = header(call, "authorization")
  if (presented === null) return spotifyError(401, "No token provided")
  const tokenText = bearer(call)
  if (tokenText === null) return spotifyError(400, "Only valid bearer authentication supported")
  const token = world.grants.access(tokenText)
  if (token === undefined || token.revoked || token.provider !== "spotify") {
    return spotifyError(401, "Invalid access token")
  }
  return world.grants.isExpired(token) ? spotifyError(401, "The access token expired") : token
}

const admitted = (world: World, token: AccessToken): Answer | undefined => {
  const limits = world.limitsOf("spotify", token.clientId)
  const wait = limits.admit()
  if (wait > 0) return { ...spotifyRateLimited(wait), fault: "rate_limit" }
  if (limits.spend(1)) return undefined
  return { ...spotifyRateLimited(limits.secondsToReset(), "QUOTA_EXCEEDED"), fault: "quota" }
}

interface Page {
  readonly limit: number
  readonly offset: number
}

const wholeNumber = (text: string | null, fallback: number): number =>
  text === null ? fallback : /^\d+$/.test(text) ? Number(text) : Number.NaN

const page = (call: Call): Page | Answer => {
  const limit = wholeNumber(call.query.get("limit"), 20)
  const offset = wholeNumber(call.query.get("offset"), 0)
  if (!(limit >= 1 && limit <= 50)) return spotifyError(400, "Invalid limit")
  if (Number.isNaN(offset)) return spotifyError(400, "Invalid offset")
  return { limit, offset }
}

const showsResumePoint = (token: AccessToken) => token.scope.includes("user-read-playback-position")

const findShow = (world: World, id: string): Source | Answer => {
  const source = world.catalogue.find(id)
  if (source === undefined && !/^[0-9A-Za-z]{22}$/.test(id)) return invalidId
  return source === undefined || source.removed || source.provider !== "spotify" ? notFound : source
}

const profile = (call: Call, token: AccessToken): Answer =>
  json(200, {
    country: "DE",
    display_name: token.person,
    email: `${encodeURIComponent(token.person)}@example.com`,
    explicit_content: { filter_enabled: false, filter_locked: false },
    external_urls: { spotify: `https://open.spotify.com/user/${encodeURIComponent(token.person)}` },
    followers: { href: null, total: 0 },
    href: `${call.base}${prefix}/users/${encodeURIComponent(token.person)}`,
    id: token.person,
    images: [],
    product: "premium",
    type: "user",
    uri: `spotify:user:${encodeURIComponent(token.person)}`,
  })

const savedShows = (world: World, call: Call, token: AccessToken): Answer => {
  if (!token.scope.includes("user-library-read")) return spotifyError(403, "Insufficient client scope")
  const at = page(call)
  if ("status" in at) return at
  const shelf = world.library.shelf(token.person, "spotify")
  const followed = world.library.page(token.person, "spotify", at.offset, at.limit)
  const shown = followed.map((one) => ({ ...one, shown: shownOf(world.catalogue, one.source) }))
  const state = shown.map(({ source, shown }) => `${source.id}:${shown.version}:${shown.title}`).join()
  return tagged(
    call,
    `saved ${token.person} ${shelf.version} ${at.offset} ${at.limit} ${state}`,
    () =>
      pagingObject(call.base + call.path, call.query, {
        ...at,
        items: shown.map((one) => savedShowObject(call.base, one, one.shown)),
        total: shelf.followed.size,
      }),
    cached,
  )
}

const emptyPage = (at: Page) => ({ ...at, items: [], total: 0 })

const episodesPage = (world: World, call: Call, token: AccessToken, source: Source, at: Page) =>
  pagingObject(`${call.base}${prefix}/shows/${source.id}/episodes`, call.query, {
    ...at,
    items: world.catalogue
      .page(source, at.offset, at.limit)
      .map((item) => episodeObject(call.base, item, showsResumePoint(token))),
    total: world.catalogue.total(source),
  })

const show = (world: World, call: Call, token: AccessToken, id: string): Answer => {
  const source = findShow(world, id)
  if ("status" in source) return source
  return tagged(
    call,
    `show ${id} ${source.version} ${call.query} ${showsResumePoint(token)}`,
    () => ({
      ...showObject(call.base, source, shownOf(world.catalogue, source)),
      episodes: episodesPage(world, call, token, source, { limit: 50, offset: 0 }),
    }),
    cached,
  )
}

const episodes = (world: World, call: Call, token: AccessToken, id: string): Answer => {
  const source = findShow(world, id)
  if ("status" in source) return source
  const at = page(call)
  if ("status" in at) return at
  const seen = look(source)
  if (seen === "missing") return notFound
  if (seen === "empty") {
    return tagged(
      call,
      `no episodes ${id}`,
      () => pagingObject(call.base + call.path, call.query, emptyPage(at)),
      cached,
    )
  }
  return tagged(
    call,
    `episodes ${id} ${source.version} ${call.query} ${showsResumePoint(token)}`,
    () => episodesPage(world, call, token, source, at),
    cached,
  )
}

const fullEpisode = (world: World, call: Call, token: AccessToken, item: Item) => ({
  ...episodeObject(call.base, item, showsResumePoint(token)),
  show: showObject(call.base, item.source, shownOf(world.catalogue, item.source)),
})

const findEpisode = (world: World, id: string): Item | undefined => {
  const item = world.catalogue.findItem(id)
  const isThere = item !== undefined && item.source.provider === "spotify" && !item.source.removed
  return isThere && item.kind !== "null" ? item : undefined
}

const episode = (world: World, call: Call, token: AccessToken, id: string): Answer => {
  const item = findEpisode(world, id)
  if (item === undefined) return /^[0-9A-Za-z]{22}$/.test(id) ? notFound : invalidId
  return tagged(
    call,
    `episode ${id} ${item.version} ${item.source.version} ${call.query} ${showsResumePoint(token)}`,
    () => fullEpisode(world, call, token, item),
    cached,
  )
}

const severalIds = (world: World, call: Call): ReadonlyArray<string> | Answer => {
  if (!world.severalEndpoints) return forbidden
  const ids = call.query.get("ids")?.split(",") ?? []
  if (ids.length === 0) return spotifyError(400, "Missing required field: ids")
  return ids.length > 50 ? spotifyError(400, "Too many ids requested") : ids
}

const severalShows = (world: World, call: Call): Answer => {
  const ids = severalIds(world, call)
  if ("status" in ids) return ids
  const shows = ids.map((id) => {
    const source = findShow(world, id)
    return "status" in source ? null : showObject(call.base, source, shownOf(world.catalogue, source))
  })
  return json(200, { shows }, cached)
}

const severalEpisodes = (world: World, call: Call, token: AccessToken): Answer => {
  const ids = severalIds(world, call)
  if ("status" in ids) return ids
  const episodes = ids.map((id) => {
    const item = findEpisode(world, id)
    return item === undefined ? null : fullEpisode(world, call, token, item)
  })
  return json(200, { episodes }, cached)
}

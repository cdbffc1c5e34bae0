import { type Answer, bearer, type Call, header } from "../answer.ts"
import { tagged } from "../etag.ts"
import type { Item, Source } from "../state/catalogue.ts"
import type { AccessToken } from "../state/grants.ts"
import { look, shownOf } from "../state/looks.ts"
import type { World } from "../state/world.ts"
import { invalidCredentials, quotaExceeded, youtubeError, youtubeRateLimited } from "./error.ts"
import { channelObject, ownChannelObject, playlistItemObject, subscriptionObject, videoObject } from "./objects.ts"
import { listAnswer, type Page, pageOf, partsOf } from "./parameters.ts"

/** What comes before the method in a path. */
const prefix = /^.*\/youtube\/v3\//
const cached = { "cache-control": "private" }

/** Who asks: a person by token, or the project alone by API key (`null`). */
type Caller = AccessToken | null

/** Units that each method costs, whatever its answer; search has a bucket of its own besides. */
const costs: Record<string, number> = { subscriptions: 1, channels: 1, playlistItems: 1, videos: 1, search: 100 }

/** `www.googleapis.com/youtube/v3`, as far as subscriptions and uploads go. */
export const answerYoutube = (world: World, call: Call): Answer => {
  const method = call.path.replace(prefix, "")
  const units = costs[method]
  if (units === undefined || call.method !== "GET") return unknownMethod
  const caller = authorized(world, call)
  const token = world.grants.access(bearer(call) ?? "")
  // A token of nobody belongs to no project that could be charged.
  if (caller !== null && "status" in caller && token === undefined) return caller
  const limits = world.limitsOf("youtube", token?.clientId ?? null)
  if (limits.admit() > 0) return { ...youtubeRateLimited(), fault: "rate_limit" }
  if (!limits.spend(units)) return { ...quotaExceeded, fault: "quota" }
  const answer = caller !== null && "status" in caller ? caller : list(world, call, method, caller)
  return { ...answer, units }
}

const list = (world: World, call: Call, method: string, caller: Caller): Answer => {
  if (method === "subscriptions") return subscriptions(world, call, caller)
  if (method === "channels") return channels(world, call, caller)
  if (method === "playlistItems") return playlistItems(world, call)
  if (method === "videos") return videos(world, call)
  return { ...searchRefused, mark: "search.list" }
}

const unknownMethod = youtubeError({ code: 404, reason: "notFound", message: "Method not found." })

const searchRefused = youtubeError({
  code: 403,
  domain: "youtube.quota",
  reason: "quotaExceeded",
  message: "search.list has 100 calls a day: pollen never uses it.",
})

const loginRequired = youtubeError({
  code: 401,
  reason: "required",
  message: "Login Required.",
  location: "Authorization",
  locationType: "header",
  status: "UNAUTHENTICATED",
})

const insufficientScope = youtubeError({
  code: 403,
  reason: "insufficientPermissions",
  message: "Request had insufficient authentication scopes.",
  status: "PERMISSION_DENIED",
})

const noFilter = youtubeError({
  code: 400,
  domain: "youtube.parameter",
  reason: "missingRequiredParameter",
  message: "No filter selected. Expected one of: id, mine, playlistId",
})

const tooManyIds = youtubeError({
  code: 400,
  domain: "youtube.parameter",
  reason: "invalidFilters",
  message: "The request specifies an invalid filter parameter: at most 50 ids.",
  location: "id",
})

const readScopes = ["youtube.readonly", "youtube", "youtube.force-ssl"].map(
  (name) => `https://www.googleapis.com/auth/${name}`,
)

const authorized = (world: World, call: Call): Caller | Answer => {
  const text = bearer(call)
  if (text === null) return call.query.get("key") || header(call, "x-goog-api-key") ? null : loginRequired
  const token = world.grants.access(text)
  if (token === undefined || token.revoked || token.provider !== "youtube" || world.grants.isExpired(token)) {
    return invalidCredentials
  }
  return readScopes.some((scope) => token.scope.includes(scope)) ? token : insufficientScope
}

const versions = (items: ReadonlyArray<Item>): string => items.map(({ id, version }) => `${id}:${version}`).join()

const subscriptions = (world: World, call: Call, caller: Caller): Answer => {
  const parts = partsOf(call, ["id", "snippet", "contentDetails", "subscriberSnippet"])
  if ("status" in parts) return parts
  const page = pageOf(call)
  if ("status" in page) return page
  if (call.query.get("channelId") !== null) {
    return youtubeError({
      code: 403,
      domain: "youtube.subscription",
      reason: "subscriptionForbidden",
      message: "The requester is not allowed to access the requested subscriptions.",
    })
  }
  if (call.query.get("mine") !== "true") return noFilter
  if (caller === null) return loginRequired
  const shelf = world.library.shelf(caller.person, "youtube")
  const followed = world.library.page(caller.person, "youtube", page.offset, page.limit)
  const shown = followed.map((one) => ({ ...one, shown: shownOf(world.catalogue, one.source) }))
  const state = shown.map(({ source, shown }) => `${source.id}:${shown.version}:${shown.title}`).join()
  return tagged(
    call,
    `subscriptions ${caller.person} ${shelf.version} ${call.query} ${state}`,
    (etag) =>
      listAnswer(
        "youtube#SubscriptionListResponse",
        etag,
        shown.map((one) => subscriptionObject(parts, caller.person, one, one.shown)),
        page,
        shelf.followed.size,
      ),
    cached,
  )
}

const idsOf = (call: Call): ReadonlyArray<string> =>
  call.query
    .getAll("id")
    .flatMap((value) => value.split(","))
    .filter((id) => id !== "")

const channels = (world: World, call: Call, caller: Caller): Answer => {
  const parts = partsOf(call, ["id", "snippet", "contentDetails", "statistics", "status", "brandingSettings"])
  if ("status" in parts) return parts
  if (call.query.get("mine") === "true") {
    if (caller === null) return loginRequired
    const own = ownChannelObject(parts, caller.person)
    return tagged(
      call,
      `own ${caller.person} ${call.query}`,
      (etag) => listAnswer("youtube#channelListResponse", etag, [own], { limit: 5, offset: 0 }, 1),
      cached,
    )
  }
  const ids = idsOf(call)
  if (ids.length === 0) return noFilter
  if (ids.length > 50) return tooManyIds
  const found = ids
    .map((id) => world.catalogue.find(id))
    .filter((source): source is Source => source?.provider === "youtube" && !source.removed)
  const state = found.map(({ id, version }) => `${id}:${version}`).join()
  return tagged(
    call,
    `channels ${call.query} ${state}`,
    (etag) => {
      const items = found.map((source) => channelObject(parts, source, shownOf(world.catalogue, source)))
      const list = listAnswer("youtube#channelListResponse", etag, items, { limit: 50, offset: 0 }, found.length)
      // The service leaves the field out where nothing was found.
      return found.length === 0 ? { ...list, items: undefined } : list
    },
    cached,
  )
}

const playlistItems = (world: World, call: Call): Answer => {
  const parts = partsOf(call, ["id", "snippet", "contentDetails", "status"])
  if ("status" in parts) return parts
  const page: Page | Answer = pageOf(call)
  if ("status" in page) return page
  const playlistId = call.query.get("playlistId")
  if (playlistId === null) return noFilter
  const source = playlistId.startsWith("UU") ? world.catalogue.find(`UC${playlistId.slice(2)}`) : undefined
  const seen = source === undefined || source.removed || !source.uploads ? "missing" : look(source)
  if (source === undefined || seen === "missing") {
    return youtubeError({
      code: 404,
      domain: "youtube.playlistItem",
      reason: "playlistNotFound",
      message:
        'The playlist identified with the request\'s <code><a href="/youtube/v3/docs/playlistItems/list#playlistId">playlistId</a></code> parameter cannot be found.',
      location: "playlistId",
    })
  }
  const total = seen === "empty" ? 0 : world.catalogue.total(source)
  const items = seen === "empty" ? [] : world.catalogue.page(source, page.offset, page.limit)
  return tagged(
    call,
    `playlistItems ${source.id} ${source.title} ${total} ${call.query} ${versions(items)}`,
    (etag) =>
      listAnswer(
        "youtube#playlistItemListResponse",
        etag,
        items.map((item, index) => playlistItemObject(parts, item, page.offset + index)),
        page,
        total,
      ),
    cached,
  )
}

const isPublic = (item: Item | undefined): item is Item =>
  item !== undefined &&
  item.source.provider === "youtube" &&
  !item.source.removed &&
  item.kind !== "private" &&
  item.kind !== "deleted"

const videos = (world: World, call: Call): Answer => {
  const parts = partsOf(call, ["id", "snippet", "contentDetails", "status", "statistics", "liveStreamingDetails"])
  if ("status" in parts) return parts
  const ids = idsOf(call)
  if (ids.length === 0) return noFilter
  if (ids.length > 50) return tooManyIds
  const found = ids.map((id) => world.catalogue.findItem(id)).filter(isPublic)
  return tagged(
    call,
    `videos ${call.query} ${versions(found)} ${found.map(({ source }) => source.title).join()}`,
    (etag) =>
      listAnswer(
        "youtube#videoListResponse",
        etag,
        found.map((item) => videoObject(parts, item)),
        { limit: found.length, offset: 0 },
        found.length,
      ),
    cached,
  )
}

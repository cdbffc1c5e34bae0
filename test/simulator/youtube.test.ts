import { auth, youtube, type youtube_v3 } from "@googleapis/youtube"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

/** Google's own client, with nothing changed but the root of its addresses. */
const youtubeWith = (accessToken: string): youtube_v3.Youtube => {
  const credentials = new auth.OAuth2()
  credentials.setCredentials({ access_token: accessToken })
  return youtube({ version: "v3", rootUrl: `${simulator.url}/google/api/`, auth: credentials, retry: false })
}

const youtubeOf = async (person: string): Promise<youtube_v3.Youtube> =>
  youtubeWith((await simulator.client.grant(person, "youtube")).accessToken)

const uploadsOf = (channel: string): string => `UU${channel.slice(2)}`

const get = (path: string, token: string, headers: Record<string, string> = {}) =>
  fetch(`${simulator.client.endpoints.youtube.api}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })

interface GoogleError {
  readonly status: number
  readonly errors: ReadonlyArray<{ readonly domain: string; readonly reason: string }>
}

const refusal = async (
  attempt: PromiseLike<unknown>,
): Promise<readonly [status: number, reason: string | undefined]> => {
  const error = await Promise.resolve(attempt).then(
    () => ({ status: 200, errors: [] }),
    (cause: unknown) => {
      const response = (cause as { response: { data: { error: { code: number; errors: GoogleError["errors"] } } } })
        .response
      return { status: response.data.error.code, errors: response.data.error.errors }
    },
  )
  return [error.status, error.errors[0]?.reason]
}

describe("subscriptions", () => {
  test("Google's client pages through what a person follows without losing one", async () => {
    const channels = await simulator.client.createSources(
      Array.from({ length: 120 }, () => ({ provider: "youtube" as const, items: 4 })),
    )
    await simulator.client.subscribe("viewer", ...channels)
    const api = await youtubeOf("viewer")
    const seen: Array<string> = []
    let pageToken: string | undefined
    do {
      const { data } = await api.subscriptions.list({
        part: ["snippet", "contentDetails"],
        mine: true,
        maxResults: 50,
        ...(pageToken === undefined ? {} : { pageToken }),
      })
      expect(data.pageInfo).toEqual({ totalResults: 120, resultsPerPage: 50 })
      seen.push(...(data.items ?? []).map(({ snippet }) => snippet?.resourceId?.channelId ?? ""))
      pageToken = data.nextPageToken ?? undefined
    } while (pageToken !== undefined)
    expect(seen.sort()).toEqual([...channels].sort())
    expect(seen.every((id) => /^UC[0-9A-Za-z]{22}$/.test(id))).toBe(true)
    expect(await simulator.client.counts({ person: "viewer" })).toMatchObject({ total: 3, units: 3 })
  })

  test("only the parts asked for are there, and totals follow what is published", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube", title: "Hives", items: 4 })
    await simulator.client.subscribe("parts", channel)
    await simulator.client.publish(channel, 2)
    const api = await youtubeOf("parts")
    const { data } = await api.subscriptions.list({ part: ["contentDetails"], mine: true })
    expect(data.items).toEqual([
      {
        kind: "youtube#subscription",
        etag: expect.any(String),
        id: expect.any(String),
        contentDetails: { totalItemCount: 6, newItemCount: 2, activityType: "all" },
      },
    ])
  })
})

describe("uploads", () => {
  test("Google's client pages through uploads, newest first", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube", items: 70 })
    const api = await youtubeOf("pager")
    const ask = { part: ["snippet", "contentDetails", "status"], playlistId: uploadsOf(channel), maxResults: 50 }
    const first = await api.playlistItems.list(ask)
    const second = await api.playlistItems.list({ ...ask, pageToken: first.data.nextPageToken ?? "" })
    const all = [...(first.data.items ?? []), ...(second.data.items ?? [])]
    expect(second.data.nextPageToken).toBeUndefined()
    const known = await simulator.client.items(channel)
    expect(all.map(({ contentDetails }) => contentDetails?.videoId)).toEqual(known.map(({ id }) => id))
    expect(all.map(({ snippet }) => snippet?.position)).toEqual(known.map((_, index) => index))
    expect(known.every(({ id }) => /^[0-9A-Za-z]{11}$/.test(id))).toBe(true)
  })

  test("private and deleted videos are listed by their fixed titles, without a date, and have no details", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube" })
    const published = await simulator.client.publish(channel, [{ kind: "private" }, { kind: "deleted" }])
    const api = await youtubeOf("hidden")
    const { data } = await api.playlistItems.list({
      part: ["snippet", "contentDetails", "status"],
      playlistId: uploadsOf(channel),
    })
    expect(data.items?.map(({ snippet }) => snippet?.title)).toEqual(["Deleted video", "Private video"])
    expect(data.items?.map(({ status }) => status?.privacyStatus)).toEqual(["privacyStatusUnspecified", "private"])
    for (const item of data.items ?? []) {
      expect(item.contentDetails).not.toHaveProperty("videoPublishedAt")
      expect(item.snippet).not.toHaveProperty("videoOwnerChannelTitle")
    }
    const details = await api.videos.list({ part: ["snippet"], id: published.map(({ id }) => id) })
    expect(details.data.items).toEqual([])
    await simulator.client.changeItem(published[0]?.id ?? "", { kind: "normal" })
    const shown = await api.videos.list({ part: ["snippet"], id: published.map(({ id }) => id) })
    expect(shown.data.items).toHaveLength(1)
  })

  test("a premiere is upcoming, then live, then a video, and is listed all along", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube" })
    const scheduledStart = Date.UTC(2026, 10, 1, 20)
    const [premiere] = await simulator.client.publish(channel, [{ kind: "upcoming", scheduledStart }])
    const id = premiere?.id ?? ""
    const api = await youtubeOf("premiere")
    const state = async () => {
      const { data } = await api.videos.list({ part: ["snippet", "contentDetails", "liveStreamingDetails"], id: [id] })
      const [video] = data.items ?? []
      return {
        content: video?.snippet?.liveBroadcastContent,
        duration: video?.contentDetails?.duration,
        times: Object.keys(video?.liveStreamingDetails ?? {}),
        scheduled: video?.liveStreamingDetails?.scheduledStartTime,
      }
    }
    const scheduled = "2026-11-01T20:00:00Z"
    expect(await state()).toEqual({ content: "upcoming", duration: "P0D", times: ["scheduledStartTime"], scheduled })
    await simulator.client.changeItem(id, { kind: "live" })
    const times = ["scheduledStartTime", "actualStartTime"]
    expect(await state()).toEqual({ content: "live", duration: "P0D", times, scheduled })
    await simulator.client.changeItem(id, { kind: "normal" })
    const ended = await state()
    expect(ended).toMatchObject({ content: "none", times: [...times, "actualEndTime"] })
    expect(ended.duration).toMatch(/^PT\d+M\d+S$/)
  })

  test("a short lasts less than three minutes, and descriptions are whole only in details", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube" })
    const [short] = await simulator.client.publish(channel, [{ kind: "short", title: "Waggle" }])
    const api = await youtubeOf("shorts")
    const listed = await api.playlistItems.list({ part: ["snippet"], playlistId: uploadsOf(channel) })
    const detailed = await api.videos.list({ part: ["snippet", "contentDetails"], id: [short?.id ?? ""] })
    const cut = listed.data.items?.[0]?.snippet?.description ?? ""
    const whole = detailed.data.items?.[0]?.snippet?.description ?? ""
    expect(detailed.data.items?.[0]?.contentDetails?.duration).toBe("PT45S")
    expect(cut.endsWith("...")).toBe(true)
    expect(whole.startsWith(cut.slice(0, -3))).toBe(true)
    expect(whole.length).toBeGreaterThan(cut.length)
  })

  test("channels are found by id, and a channel that is gone is left out", async () => {
    const [kept = "", gone = ""] = await simulator.client.createSources([
      { provider: "youtube", items: 2 },
      { provider: "youtube", items: 2 },
    ])
    await simulator.client.removeSource(gone)
    const api = await youtubeOf("channels")
    const { data } = await api.channels.list({ part: ["contentDetails"], id: [kept, gone] })
    expect(data.items?.map(({ id }) => id)).toEqual([kept])
    expect(data.items?.[0]?.contentDetails?.relatedPlaylists?.uploads).toBe(uploadsOf(kept))
    expect((await api.channels.list({ part: ["id"], mine: true })).data.items).toHaveLength(1)
  })

  test("the feed has the fifteen newest public videos and costs nothing", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube", title: "Bees & <hives>", items: 20 })
    await simulator.client.publish(channel, [{ kind: "private" }])
    const response = await fetch(`${simulator.client.endpoints.youtube.feed}?channel_id=${channel}`)
    const feed = await response.text()
    expect(response.headers.get("content-type")).toMatch(/^text\/xml/)
    const listed = [...feed.matchAll(/<yt:videoId>(.{11})<\/yt:videoId>/g)].map(([, id]) => id)
    const items = await simulator.client.items(channel)
    expect(listed).toEqual(items.slice(1, 16).map(({ id }) => id))
    expect(feed).toContain("Bees &#38; &#60;hives&#62;")
    await simulator.client.removeSource(channel)
    expect((await fetch(`${simulator.client.endpoints.youtube.feed}?channel_id=${channel}`)).status).toBe(404)
  })
})

describe("entity tags", () => {
  test("an unchanged list is 304 without a body, and still costs a unit", async () => {
    const channel = await simulator.client.createSource({ provider: "youtube", items: 2 })
    const { accessToken } = await simulator.client.grant("tagged", "youtube")
    const path = `/playlistItems?part=snippet&playlistId=${uploadsOf(channel)}`
    const first = await get(path, accessToken)
    const etag = first.headers.get("etag") ?? ""
    expect(((await first.json()) as { etag: string }).etag).toBe(etag.replaceAll('"', ""))
    const second = await get(path, accessToken, { "if-none-match": etag })
    expect([second.status, await second.text()]).toEqual([304, ""])
    await simulator.client.publish(channel, 1)
    expect((await get(path, accessToken, { "if-none-match": etag })).status).toBe(200)
    const asked = await simulator.client.ledger({ person: "tagged" })
    expect(asked.map(({ status, units }) => [status, units])).toEqual([
      [200, 1],
      [304, 1],
      [200, 1],
    ])
  })
})

describe("refusals", () => {
  test("Google's client raises each refusal with its reason", async () => {
    const api = await youtubeOf("refused")
    const channel = await simulator.client.createSource({ provider: "youtube", items: 80 })
    const playlistId = uploadsOf(channel)
    const missing = uploadsOf(await simulator.client.createSource({ provider: "youtube", uploads: false }))
    const ids = (await simulator.client.items(channel)).map(({ id }) => id)
    const part = ["snippet"]
    expect(await refusal(api.playlistItems.list({ part, playlistId: missing }))).toEqual([404, "playlistNotFound"])
    expect(await refusal(api.playlistItems.list({ part, playlistId, maxResults: 51 }))).toEqual([
      400,
      "invalidParameter",
    ])
    expect(await refusal(api.playlistItems.list({ part, playlistId, pageToken: "2" }))).toEqual([
      400,
      "invalidPageToken",
    ])
    expect(await refusal(api.playlistItems.list({ part: ["nothing"], playlistId }))).toEqual([400, "unknownPart"])
    expect(await refusal(api.videos.list({ part, id: ids.slice(0, 51) }))).toEqual([400, "invalidFilters"])
    expect((await api.videos.list({ part, id: ids.slice(0, 50) })).data.items).toHaveLength(50)
    expect(await refusal(api.subscriptions.list({ part, channelId: channel }))).toEqual([403, "subscriptionForbidden"])
    const counts = await simulator.client.counts({ person: "refused" })
    expect(counts.units).toBe(counts.total)
  })

  test("search is refused and marked in the ledger", async () => {
    expect(await refusal((await youtubeOf("searcher")).search.list({ part: ["id"], q: "bees" }))).toEqual([
      403,
      "quotaExceeded",
    ])
    expect(await simulator.client.ledger({ person: "searcher" })).toMatchObject([{ mark: "search.list" }])
  })

  test("tokens that are expired, revoked, made up or too narrow are refused as Google does", async () => {
    const ask = (token: string) => refusal(youtubeWith(token).subscriptions.list({ part: ["id"], mine: true }))
    const { accessToken: expired } = await simulator.client.grant("narrow", "youtube", { expiresInSeconds: -1 })
    const { accessToken: narrow } = await simulator.client.grant("narrow", "youtube", { scope: ["openid"] })
    expect(await ask(expired)).toEqual([401, "authError"])
    expect(await ask("made up")).toEqual([401, "authError"])
    expect(await ask(narrow)).toEqual([403, "insufficientPermissions"])
    await simulator.client.revoke("narrow", "youtube")
    expect(await ask(narrow)).toEqual([401, "authError"])
  })

  test("limits and outages carry the reasons seen on the real service", async () => {
    const api = await youtubeOf("limited")
    const match = { person: "limited" }
    const ask = () => refusal(api.subscriptions.list({ part: ["id"], mine: true }))
    await simulator.client.setFaults([
      { match, fault: { type: "rate_limited", retryAfterSeconds: 5 }, times: 1 },
      { match, fault: { type: "rate_limited", retryAfterSeconds: 5, reason: "userRateLimitExceeded" }, times: 1 },
      { match, fault: { type: "quota_exceeded" }, times: 1 },
      { match, fault: { type: "status", status: 503 }, times: 1 },
    ])
    expect(await ask()).toEqual([403, "rateLimitExceeded"])
    expect(await ask()).toEqual([403, "userRateLimitExceeded"])
    expect(await ask()).toEqual([403, "quotaExceeded"])
    expect(await ask()).toEqual([503, "backendError"])
    expect(await ask()).toEqual([200, undefined])
  })
})

import { Effect, Option, Schema } from "effect"
import type { ProviderHttp } from "../providers/ProviderHttp.ts"
import type { AccessToken, ProviderClient } from "../providers/provider.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"

/** https://developer.spotify.com/documentation/web-api/reference/get-multiple-shows; a show that is gone is `null`. */
const SeveralShows = Schema.Struct({
  shows: Schema.Array(
    Schema.NullOr(Schema.Struct({ id: Schema.String, total_episodes: Schema.optional(Schema.NullOr(Schema.Int)) })),
  ),
})
const readShows = Schema.decodeUnknownOption(SeveralShows)

/** True for statuses of an endpoint that this application does not have. */
const isGone = (status: number): boolean => status === 403 || status === 404 || status === 410

/**
 * Spotify: libraries by 50 shows, episodes by 50. Shows beyond the first page of a library that has not changed are read 50 at a time,
 * once a run, whoever follows them. Applications in development mode lost that endpoint in February 2026: without it, all pages are
 * read for the rest of the run.
 */
export const spotifyBatchProcessor = (
  client: ProviderClient,
  apiUrl: string,
  http: ProviderHttp["Service"],
): BatchProcessor => {
  let isThere = true
  const counts = Effect.fn("SpotifyBatchProcessor.counts")(function* (token: AccessToken, ids: ReadonlyArray<string>) {
    if (!isThere) return null
    const answer = yield* Effect.option(
      http.get({ provider: "spotify", url: `${apiUrl}/shows`, query: { ids: ids.join(",") }, token, etag: null }),
    )
    if (Option.isNone(answer)) return null
    if (isGone(answer.value.status)) isThere = false
    if (answer.value.status !== 200) return null
    const shows = Option.getOrNull(readShows(answer.value.body))?.shows
    // Answers are told apart by their place: one that is out of place makes the others doubtful.
    const isInPlace = shows?.length === ids.length && shows.every((show, at) => show === null || show.id === ids[at])
    return isInPlace ? new Map(ids.map((id, index) => [id, shows[index]?.total_episodes ?? null])) : null
  })
  return { provider: "spotify", client, counts }
}

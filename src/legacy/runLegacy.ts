import { Clock, Effect, Exit, Layer, Option, Ref } from "effect"
import type { DatabaseUnavailable, Misconfigured } from "../domain/error.ts"
import { type Provider, providers } from "../domain/provider.ts"
import { Subrequests, withOwnCount } from "../domain/subrequests.ts"
import { keyOf } from "../move/account.ts"
import type { InvokeImport } from "../move/copies.ts"
import { DatabaseGrants } from "../move/DatabaseGrants.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import { ProviderHttp } from "../providers/ProviderHttp.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"
import { countingTokens } from "./counting.ts"
import { RunSpent } from "./error.ts"
import { Hold } from "./Hold.ts"
import { beginRun, emptiedKept, emptyRun, type LegacyRun, readLastRun, recordRun } from "./LegacyRun.ts"
import { LegacySettings, type LegacyVariables } from "./LegacySettings.ts"
import { makeListings } from "./Listings.ts"
import type { Poll } from "./Poll.ts"
import { pollSuspects } from "./pollSuspects.ts"
import { spotifyBatchProcessor } from "./SpotifyBatchProcessor.ts"
import { shareSubrequests } from "./shares.ts"
import { isDue, keptForSuspects, readSuspects } from "./suspects.ts"
import { TokenRefreshService } from "./TokenRefreshService.ts"
import { walk } from "./walk.ts"
import { youtubeBatchProcessor } from "./YouTubeBatchProcessor.ts"

export interface LegacyOptions {
  readonly variables: LegacyVariables
  readonly database: D1Database
  /** Writes new tokens to the objects that keep a copy. */
  readonly importTokens: InvokeImport
}

/** The part of a run's time after which it asks nothing more: writing what was found needs the rest. */
const lastAskedAt = 0.9

/** Subrequests of an account before its first source is asked: its library, a refresh, and a copy for its object. */
const callsPerAccount = 3

const poll = Effect.fnUntraced(function* (database: D1Database, tokenQueries: () => number) {
  const settings = yield* LegacySettings
  const http = yield* ProviderHttp
  const clients = yield* ProviderClients
  const hold = yield* Hold
  const { prepare, withToken } = yield* TokenRefreshService
  const startedAt = yield* Clock.currentTimeMillis
  const before = yield* readLastRun(database)
  yield* Effect.forEach(before.holds, hold.recall)
  const suspects = yield* readSuspects(database, before)
  const { stoppedAfter } = before
  const run = yield* Ref.make<LegacyRun>({ ...emptyRun, stoppedAfter, suspects, emptied: before.emptied })
  const id = yield* beginRun(database, startedAt, yield* Ref.get(run))

  const emptied = new Map(before.emptied)
  const requests = Effect.map(
    Effect.forEach(providers, (provider) => http.requests(provider)),
    (counts) => counts.reduce((sum, count) => sum + count, 0),
  )
  const record = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const counted = {
      durationMs: now - startedAt,
      requests: yield* requests,
      tokenQueries: tokenQueries(),
      subrequests: shares.total(),
      holds: yield* hold.current,
      emptied: [...emptied].slice(0, emptiedKept),
    }
    yield* recordRun(database, id, now, yield* Ref.updateAndGet(run, (figures) => ({ ...figures, ...counted })))
  })
  const shares = shareSubrequests(settings.requestLimit, yield* Subrequests)
  const processors: Readonly<Record<Provider, BatchProcessor>> = {
    spotify: spotifyBatchProcessor(clients.spotify, settings.endpoints.spotify.apiUrl, http),
    youtube: youtubeBatchProcessor(clients.youtube),
  }
  const kept = suspects.some((suspect) => isDue(suspect, startedAt)) ? keptForSuspects : 0
  /** Subrequests left of a share of the run. */
  const leftOf = (provider: Provider, share: number) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      now - startedAt < settings.timeLimitMs * lastAskedAt * share
        ? Math.max(0, shares.left(provider) - Math.floor(settings.requestLimit * (1 - share)))
        : 0,
    )
  const pollOf = (provider: Provider, left: Effect.Effect<number>): Poll => {
    const processor = processors[provider]
    const mayAsk = Effect.map(left, (calls) => calls > 0)
    const withTokenWhileLeft: Poll["withToken"] = (account, use) =>
      Effect.flatMap(mayAsk, (may) => (may ? withToken(account, use) : new RunSpent()))
    const read = makeListings(processor.client, withTokenWhileLeft)
    const asking = { prepare, withToken: withTokenWhileLeft, mayAsk, read }
    return { processor, settings, database, ...asking, emptied, counts: new Map() }
  }
  const keys = new Set(suspects.map(keyOf))
  const walkOf = (provider: Provider) => {
    const left = leftOf(provider, 1 - kept)
    const batchSize = Effect.map(left, (calls) => Math.min(settings.batchSize, Math.floor(calls / callsPerAccount)))
    const start = stoppedAfter[provider] ?? ""
    const isSilenced = hold.isLong(provider)
    return walk({ poll: pollOf(provider, left), start, batchSize, isSilenced, suspects: keys, run, record }).pipe(
      Effect.provideService(Subrequests, shares.countOf(provider)),
      Effect.ensuring(Effect.sync(() => shares.end(provider))),
    )
  }
  const suspectsOf = (provider: Provider) =>
    pollSuspects({
      poll: pollOf(provider, leftOf(provider, 1)),
      suspects: suspects.filter((suspect) => suspect.provider === provider),
      isSilenced: hold.isLong(provider),
      run,
      record,
    }).pipe(Effect.provideService(Subrequests, shares.countOf(provider)))
  const walked = yield* Effect.zipWith(
    Effect.forEach(providers, (provider) => Effect.exit(walkOf(provider)), { concurrency: "unbounded" }),
    // One after the other, so that whoever ends the run is known.
    Effect.forEach(providers, (provider) => Effect.exit(suspectsOf(provider))),
    (ofAll, ofSuspects) => [...ofAll, ...ofSuspects],
  ).pipe(Effect.timeoutOption(settings.timeLimitMs))
  const ends = Option.getOrElse(walked, (): ReadonlyArray<Exit.Exit<boolean, DatabaseUnavailable>> => [])
  const isComplete = ends.length > 0 && ends.every((end) => Exit.isSuccess(end) && end.value)
  yield* Ref.update(run, (figures) => ({ ...figures, isComplete }))
  yield* record
  const figures = yield* Ref.get(run)
  yield* Effect.logInfo("legacy_run", figures)
  yield* Exit.asVoidAll(ends)
  return figures
})

/**
 * Runs the legacy poller once: it polls every account that D1 holds, both providers side by side, within a time limit, and goes on
 * where the run before stopped. Fails with `DatabaseUnavailable` when D1 does not tell whom to poll, or does not take the figures.
 */
export const runLegacy = Effect.fn("runLegacy")(function* ({
  variables,
  database,
  importTokens,
}: LegacyOptions): Effect.fn.Return<LegacyRun, DatabaseUnavailable | Misconfigured> {
  let tokenQueries = 0
  const counted = countingTokens(database, () => {
    tokenQueries++
  })
  const settings = LegacySettings.layer(variables)
  const grants = Layer.unwrap(
    Effect.map(LegacySettings, ({ endpoints, grantLifetimes, requestTimeoutMs: timeoutMs }) =>
      DatabaseGrants.layer({ database: counted, endpoints, grantLifetimes, timeoutMs, importTokens }),
    ),
  )
  const http = Layer.unwrap(Effect.map(LegacySettings, ({ requestTimeoutMs }) => ProviderHttp.layer(requestTimeoutMs)))
  const clients = Layer.unwrap(Effect.map(LegacySettings, ({ endpoints }) => ProviderClients.layer(endpoints)))
  return yield* poll(database, () => tokenQueries).pipe(
    withOwnCount,
    Effect.provide(
      TokenRefreshService.layer.pipe(
        Layer.provide(grants),
        Layer.provideMerge(clients),
        Layer.provideMerge(Layer.mergeAll(http, Hold.layer)),
        Layer.provideMerge(settings),
      ),
    ),
  )
})

import { eq } from "drizzle-orm"
import { Clock, Context, Deferred, Effect, Layer, Random } from "effect"
import { accounts } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import type { Provider } from "../../domain/provider.ts"
import { IsRequested } from "../../providers/Permits.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import type { AccountPoll, PollProgress } from "../../rpc/methods.ts"
import type { Outbox } from "../delivery/Outbox.ts"
import { Grants } from "../grants/Grants.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import { Underway } from "../Underway.ts"
import type { Access } from "./Access.ts"
import { checkSource } from "./checkSource.ts"
import type { Hubs } from "./Hubs.ts"
import { pendingSources, synchronise } from "./library.ts"
import { recordDeadly } from "./recordCheck.ts"
import { currentRhythm, nextLibraryAt } from "./rhythm.ts"
import * as statements from "./statements.ts"
import { watchSources } from "./watchSources.ts"

/** Sources of one account that are asked at once. `ProviderHttp`, below, limits a person to 6 requests. */
const sourcesAtOnce = 6

/** Age up to which a pass that was cut off goes on where it stopped; an older one begins anew with the library. */
const resumableMs = 10 * 60_000

/**
 * Passes in a row in which the object died, of memory or of CPU time, from which on a pass asks one source after the other and notes
 * which: so that the next one knows the source that kills, and leaves it out.
 */
const carefulFrom = 3

export type Trigger = "alarm" | "request"
export type ProgressListener = (progress: PollProgress) => void

const notPolled = {
  retryAt: null,
  sources: 0,
  asked: 0,
  failed: 0,
  itemsFound: 0,
  requests: 0,
}

/** The result of polling an account that the object does not hold: D1 does, or it is between the two for a moment. */
export const heldByDatabase = (provider: Provider): AccountPoll => ({
  provider,
  outcome: "held_by_database",
  reason:
    "the object does not hold the account: the legacy poller polls it, unless it is being handed over at this moment",
  ...notPolled,
})

/** The result of polling an account that D1 has given away and the object has not taken yet. */
export const handedOver = (provider: Provider): AccountPoll => ({
  provider,
  outcome: "unavailable",
  reason: "the account is being handed over to the object, which polls it as soon as it has it",
  ...notPolled,
})

interface Pass {
  readonly listeners: Set<ProgressListener>
  readonly outcome: Deferred.Deferred<AccountPoll>
}

/** Polls accounts, one pass an account at a time: concurrent callers share it. */
export class Poller extends Context.Service<
  Poller,
  {
    readonly poll: (provider: Provider, trigger: Trigger, listener?: ProgressListener) => Effect.Effect<AccountPoll>
    readonly isUnderway: (provider: Provider) => boolean
    /** Counts the items that D1 has taken in the middle of passes since this was last asked. */
    readonly takeDelivered: () => number
  }
>()("pollen/object/Poller") {
  static readonly layer = Layer.effect(
    Poller,
    Effect.gen(function* () {
      const context = yield* Effect.context<Store | Settings | Grants | Access | Outbox | Hubs>()
      const store = yield* Store
      const { db } = store
      const settings = yield* Settings
      const grants = yield* Grants
      const http = yield* ProviderHttp
      const clients = yield* ProviderClients
      const { track } = yield* Underway
      const passes = new Map<Provider, Pass>()
      let deliveredMeanwhile = 0

      const ofAccount = (provider: Provider) => eq(accounts.provider, provider)
      const readAccount = (provider: Provider) =>
        store.rows<statements.AccountInPass>(statements.selectAccount, provider)[0]
      const countSources = (provider: Provider) =>
        store.rows<{ sources: number }>(statements.countSources, provider)[0]?.sources ?? 0

      /** Has hubs look after sources, and tells what those that were asked to look have found. */
      const askHubs = Effect.fnUntraced(function* (
        provider: Provider,
        isRequested: boolean,
        tell: ProgressListener,
        figures: { asked: number; itemsFound: number },
      ) {
        const { delivered, looked } = yield* watchSources(provider, isRequested)
        deliveredMeanwhile += delivered
        for (const [sourceId, itemsFound] of looked) {
          figures.asked += 1
          figures.itemsFound += itemsFound
          const [{ title } = { title: "" }] = store.rows<{ title: string }>(statements.selectTitle, provider, sourceId)
          const finished = figures.asked
          tell({ provider, sourceId, title, outcome: "polled", itemsFound, finished, total: looked.size })
        }
      })

      /** Reads the library unless a pass was cut off lately, then asks every source that has to be asked. */
      const run = Effect.fnUntraced(function* (
        provider: Provider,
        trigger: Trigger,
        tell: ProgressListener,
        figures: { asked: number; failed: number; itemsFound: number },
      ) {
        const client = clients[provider]
        const now = yield* Clock.currentTimeMillis
        const isImpatient = trigger === "request"
        const before = readAccount(provider)
        const startedAt = before?.passStartedAt ?? null
        const isCutOff = startedAt !== null && now - startedAt < resumableMs
        const [{ cutOffs } = { cutOffs: 0 }] =
          startedAt === null ? [] : store.rows<{ cutOffs: number }>(statements.countCutOff, provider)
        const isCareful = cutOffs >= carefulFrom
        const left = isCutOff ? yield* pendingSources(provider, { isImpatient }) : []
        const isOver = left.length === 0 && (yield* synchronise(client))
        if (left.length === 0) yield* askHubs(provider, isImpatient, tell, figures)
        const isAnyPending = () => store.rows(statements.selectIsAnyPending, provider, now).length > 0
        if (isOver && !isAnyPending()) return
        const all = left.length > 0 ? left : yield* pendingSources(provider, { isImpatient })
        const deadly = all.find(({ sourceId }) => isCareful && sourceId === before?.suspectSource)
        if (deadly !== undefined) yield* recordDeadly(deadly, cutOffs)
        const pending = all.filter((row) => row !== deadly)
        yield* Effect.forEach(
          pending,
          Effect.fnUntraced(function* (row) {
            // Written before anything is asked of the provider: if the object dies now, the next pass knows where.
            if (isCareful) store.exec(statements.suspect, provider, row.sourceId)
            const found = yield* checkSource(client, row)
            figures.asked += 1
            figures.failed += found === null ? 1 : 0
            figures.itemsFound += found ?? 0
            tell({
              provider,
              sourceId: row.sourceId,
              title: row.title,
              outcome: found === null ? "failed" : "polled",
              itemsFound: found ?? 0,
              finished: figures.asked,
              total: pending.length,
            })
          }),
          { concurrency: isCareful ? 1 : sourcesAtOnce, discard: true },
        )
        const endedAt = yield* Clock.currentTimeMillis
        const rhythm = currentRhythm(store, provider, before?.rhythm ?? null, {
          itemsFound: figures.itemsFound,
          now: endedAt,
        })
        store.exec(statements.endPass, ...[provider, endedAt, rhythm, nextLibraryAt(rhythm, endedAt, settings.bounds)])
      })

      const failed = Effect.fnUntraced(function* (provider: Provider, retryAt: number | null) {
        const now = yield* Clock.currentTimeMillis
        const failures = (readAccount(provider)?.failures ?? 0) + 1
        const { minimumMs, maximumMs } = settings.bounds
        const wait = backoff(failures, yield* Random.next, {
          firstMs: Math.min(30_000, minimumMs),
          longestMs: Math.min(3_600_000, maximumMs),
        })
        const next = Math.max(retryAt ?? 0, now + wait)
        db.update(accounts).set({ failures, retryAt: next }).where(ofAccount(provider)).run()
        return next
      })

      const pass = Effect.fn("Poller.pass")(function* (provider: Provider, trigger: Trigger, tell: ProgressListener) {
        const startedAt = yield* Clock.currentTimeMillis
        const requestsBefore = yield* http.requests(provider)
        const figures = { asked: 0, failed: 0, itemsFound: 0 }
        const end = (outcome: AccountPoll["outcome"], reason: string | null, retryAt: number | null) => ({
          outcome,
          reason,
          retryAt,
        })
        const result = yield* run(provider, trigger, tell, figures).pipe(
          Effect.provideContext(context),
          Effect.provideService(IsRequested, trigger === "request"),
          Effect.as(end("polled", null, null)),
          Effect.catchTags({
            RateLimited: (error) => Effect.succeed(end("rate_limited", error.message, error.retryAt)),
            ReauthorizationRequired: (error) => Effect.succeed(end("reauthorization_required", error.reason, null)),
            ScopeMissing: (error) =>
              Effect.as(
                grants.requireReauthorization(provider, error.reason),
                end("reauthorization_required", error.reason, null),
              ),
            SealBroken: (error) =>
              Effect.logError(error.message).pipe(
                Effect.andThen(failed(provider, null)),
                Effect.map((retryAt) => end("seal_broken", error.message, retryAt)),
              ),
            AccountNotConnected: () =>
              Effect.succeed(
                readAccount(provider)?.isHolder === 0
                  ? heldByDatabase(provider)
                  : end("reauthorization_required", "not connected", null),
              ),
            SourceMissing: () =>
              Effect.map(failed(provider, null), (at) => end("unavailable", "the library is missing", at)),
            ProviderUnavailable: (error) =>
              Effect.map(failed(provider, error.retryAt), (retryAt) => end("unavailable", error.reason, retryAt)),
          }),
          // A defect here must not keep the other account from its pass, nor the outbox from D1.
          Effect.catchDefect((defect) =>
            Effect.logError("A pass broke; it is tried again", defect).pipe(
              Effect.andThen(failed(provider, null)),
              Effect.map((retryAt) => end("unavailable", "pollen itself failed; its log says why", retryAt)),
            ),
          ),
        )
        // Whatever it came to, the object has not died in it. A pass that got through has said so already.
        if (result.outcome !== "polled") store.exec(statements.forgetCutOffs, provider)
        const finishedAt = yield* Clock.currentTimeMillis
        const requests = (yield* http.requests(provider)) - requestsBefore
        const { asked, failed: failedSources, itemsFound } = figures
        // A row for what happened, and none for each look that found the library as it was.
        const isIdle = trigger === "alarm" && result.outcome === "polled" && asked === 0
        if (!isIdle) {
          store.exec(
            statements.recordPass,
            ...[provider, trigger, startedAt, finishedAt - startedAt, result.outcome],
            ...[asked, failedSources, itemsFound, requests],
          )
        }
        const sources = countSources(provider)
        return { provider, ...result, sources, ...figures, requests } satisfies AccountPoll
      })

      const poll = (provider: Provider, trigger: Trigger, listener?: ProgressListener) =>
        Effect.suspend(() => {
          const underway = passes.get(provider)
          if (underway !== undefined) {
            if (listener !== undefined) underway.listeners.add(listener)
            return Deferred.await(underway.outcome)
          }
          const listeners = new Set(listener === undefined ? [] : [listener])
          const started: Pass = { listeners, outcome: Deferred.makeUnsafe() }
          passes.set(provider, started)
          // Detached: the first caller going away must not stop the pass for the others.
          const tell = (progress: PollProgress) => {
            for (const listen of listeners) listen(progress)
          }
          return track(pass(provider, trigger, tell)).pipe(
            Effect.onExit((exit) =>
              Effect.sync(() => {
                passes.delete(provider)
                Deferred.doneUnsafe(started.outcome, exit)
              }),
            ),
            Effect.exit,
            Effect.forkDetach,
            Effect.andThen(Deferred.await(started.outcome)),
          )
        })

      const takeDelivered = () => {
        const delivered = deliveredMeanwhile
        deliveredMeanwhile = 0
        return delivered
      }

      return { poll, isUnderway: (provider: Provider) => passes.has(provider), takeDelivered }
    }),
  )
}

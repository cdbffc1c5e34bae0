import { Effect } from "effect"
import { renderTable } from "../../src/cli/table.ts"
import { PromiseBroken } from "../error.ts"
import type { IdlePoll } from "./idle.ts"

/** The object that `--json` prints. */
export interface Result {
  readonly users: number
  /** Different shows and channels that somebody follows. */
  readonly sources: number
  readonly published: number
  /** Items published, one for each person who has it in their feed. */
  readonly delivered: number
  readonly lost: number
  readonly doubled: number
  /** Access tokens that were refreshed. */
  readonly refreshes: number
  readonly providerRequests: { readonly spotify: number; readonly youtube: number }
  readonly idle: IdlePoll
  readonly seconds: number
}

/** Renders the result: a name, a figure and a remark on each line. */
export const renderResult = (result: Result): string =>
  renderTable([
    ["people", result.users, ""],
    ["sources", result.sources, ""],
    ["items published", result.published, ""],
    ["delivered", result.delivered, "(one for each person who follows the source)"],
    ["LOST", result.lost, ""],
    ["DOUBLED", result.doubled, ""],
    ["token refreshes", result.refreshes, ""],
    ["requests to Spotify", result.providerRequests.spotify, ""],
    ["requests to YouTube", result.providerRequests.youtube, ""],
    ["idle poll: D1 queries", result.idle.d1Queries, ""],
    ["idle poll: requests", result.idle.providerRequests, "(both providers together)"],
    ["seconds", Number(result.seconds.toFixed(1)), ""],
  ])

/** Fails, and with it the command, when something is lost or doubled. */
export const requireKept = ({ lost, doubled }: Pick<Result, "lost" | "doubled">): Effect.Effect<void, PromiseBroken> =>
  lost === 0 && doubled === 0
    ? Effect.void
    : Effect.fail(new PromiseBroken({ message: `${lost} items were lost and ${doubled} doubled.` }))

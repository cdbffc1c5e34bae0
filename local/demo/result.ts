import { Effect } from "effect"
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

const rows = (result: Result): ReadonlyArray<readonly [string, string]> => [
  ["people", String(result.users)],
  ["sources", String(result.sources)],
  ["items published", String(result.published)],
  ["delivered", `${result.delivered}  (one for each person who follows the source)`],
  ["LOST", String(result.lost)],
  ["DOUBLED", String(result.doubled)],
  ["token refreshes", String(result.refreshes)],
  ["requests to Spotify", String(result.providerRequests.spotify)],
  ["requests to YouTube", String(result.providerRequests.youtube)],
  ["idle poll: D1 queries", String(result.idle.d1Queries)],
  ["idle poll: requests", `${result.idle.providerRequests}  (both providers together)`],
  ["seconds", result.seconds.toFixed(1)],
]

export const renderTable = (result: Result): string => {
  const table = rows(result)
  const name = Math.max(...table.map(([label]) => label.length))
  const figure = Math.max(...table.map(([, value]) => value.split("  ")[0]?.length ?? 0))
  return table
    .map(([label, value]) => {
      const [number = "", remark] = value.split("  ")
      return `  ${label.padEnd(name)}  ${number.padStart(figure)}${remark === undefined ? "" : `  ${remark}`}`
    })
    .join("\n")
}

/** Fails, and with it the command, when something is lost or doubled. */
export const requireKept = ({ lost, doubled }: Pick<Result, "lost" | "doubled">): Effect.Effect<void, PromiseBroken> =>
  lost === 0 && doubled === 0
    ? Effect.void
    : Effect.fail(new PromiseBroken({ message: `${lost} items were lost and ${doubled} doubled.` }))

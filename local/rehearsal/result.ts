import { renderTable } from "../../src/cli/table.ts"
import { cronJudgedFrom, type Figures } from "./figures.ts"

/** What went on besides what is promised. */
export interface Surroundings {
  readonly tokensSet: number
  readonly refreshes: number
  readonly delivered: number
  readonly cronRuns: number
  readonly faultPercent: number
}

export const renderResult = (
  figures: Figures,
  { tokensSet, refreshes, delivered, cronRuns, faultPercent }: Surroundings,
) =>
  renderTable([
    ["people", String(figures.users), ""],
    ["moved", String(figures.moved), `by ${figures.usersPerSecond} a second, from off to complete`],
    ["taken back on the way", String(figures.rolledBack), "and moved again"],
    [
      "TOKENS LOST",
      String(figures.tokensLost),
      `of ${figures.users * 2} accounts, ${tokensSet} set by people meanwhile`,
    ],
    ["DOUBLE REFRESHES", String(figures.doubleRefreshes), `of ${refreshes} refreshes, single-use on both sides`],
    ["items published", String(figures.itemsPublished), `${delivered} rows of feeds`],
    ["ITEMS LOST", String(figures.itemsLost), ""],
    ["ITEMS DOUBLED", String(figures.itemsDoubled), ""],
    ["REAUTHORIZATIONS", String(figures.reauthorizations), `with ${faultPercent} % of the providers' answers failing`],
    [
      "token queries to D1 before",
      String(figures.tokenQueriesBefore),
      "in one run of cron and 100 reads of access tokens",
    ],
    ["token queries to D1 after", String(figures.tokenQueriesAfter), "in the same"],
    ["cron before", `${figures.cronMsBefore} ms`, "over everybody"],
    [
      "cron after",
      `${figures.cronMsAfter} ms`,
      `over the same people, of whom 1 % are overdue${figures.users < cronJudgedFrom ? "; judged from 100 people on" : ""}`,
    ],
    ["runs of cron meanwhile", String(cronRuns), ""],
    ["seconds", figures.seconds.toFixed(1), ""],
  ])

/** What to do when the rehearsal is over. */
export const suggestions = [
  "What to try next:",
  "",
  "  npm run pollen -- rehearse --users 300 --faults 20   fewer people, worse providers",
  "  npm run pollen -- rehearse --seed 2                  another order of events",
  "  npm start                                            the system to look at, with a migration worker",
  "  npm run pollen -- migrate plan                       what the move would do there, or with --url in your deployment",
  "  docs/runbook-rollout.md                              the move of a real deployment, stage by stage",
].join("\n")

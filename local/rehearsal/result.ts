import { renderTable } from "../../src/cli/table.ts"
import { cronJudgedFrom, type Figures } from "./figures.ts"

/** Figures beside those that are promised. */
export interface Surroundings {
  readonly tokensSet: number
  readonly refreshes: number
  readonly delivered: number
  readonly cronRuns: number
  readonly faultPercent: number
  /** The most that one invocation or instance has made since the kill. */
  readonly mostSubrequests: number
  readonly memoryMb: number
}

export const renderResult = (
  figures: Figures,
  { tokensSet, refreshes, delivered, cronRuns, faultPercent, mostSubrequests, memoryMb }: Surroundings,
) =>
  renderTable([
    ["people", String(figures.users), ""],
    ["moved", String(figures.moved), `by ${figures.usersPerSecond} a second, from off to complete`],
    ["rolled back on the way", String(figures.rolledBack), "and moved again"],
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
    ["subrequests", String(mostSubrequests), "the most of an invocation, or of an instance of a run"],
    ["memory", `${memoryMb} MB`, "of the runtime, with all workers and objects in one process"],
    ["seconds", figures.seconds.toFixed(1), ""],
  ])

/** Suggests what to do when the rehearsal of so many people is over. */
export const suggestions = (users: number): string => {
  const [others, which] = users > 300 ? [300, "fewer"] : [1000, "more"]
  const table = renderTable([
    [`npm run pollen -- rehearse --users ${others} --faults 20`, `${which} people, worse providers`],
    ["npm run pollen -- rehearse --seed 2", "another order of events"],
    ["npm start -- --legacy 20", "the system to look at, with people to move"],
    ["npm run pollen -- migrate plan", "what the move does there, or with --url in your deployment"],
    ["docs/runbook-rollout.md", "the move of a real deployment, stage by stage"],
  ])
  return `What to try next:\n\n${table}`
}

/** The object that `--json` prints. */
export interface Figures {
  readonly users: number
  /** People who are `complete` and verified in the end. */
  readonly moved: number
  /** People who were rolled back on the way, and moved again. */
  readonly rolledBack: number
  /** Accounts of which pollen does not hold the newest grant, or holds one that does not work. */
  readonly tokensLost: number
  /** Refresh tokens that were presented after they had been exchanged. */
  readonly doubleRefreshes: number
  readonly itemsPublished: number
  /** Rows that should be in a feed and are not, and rows beyond the first: one for each person. */
  readonly itemsLost: number
  readonly itemsDoubled: number
  /** Accounts whose person would have to consent again. */
  readonly reauthorizations: number
  /** Statements on D1 that name a token column, of one run of cron and some reads of access tokens; by all workers together. */
  readonly tokenQueriesBefore: number
  readonly tokenQueriesAfter: number
  /** One run of cron over everybody, in milliseconds: polling all of them, and waking those who are overdue. */
  readonly cronMsBefore: number
  readonly cronMsAfter: number
  /** People taken from `off` to `complete` in each second that the migrator was at it. */
  readonly usersPerSecond: number
  readonly seconds: number
}

/** A run of cron may take one part in so many of the time before the move. */
const cronShare = 10

/** With fewer people, most of a cron run's time is what it takes for nobody at all; the time is shown then, and not judged. */
export const cronJudgedFrom = 100

/** Lists the promises that the figures break, in words; empty when all are kept. */
export const brokenPromises = (figures: Figures): ReadonlyArray<string> => {
  const none = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`])
  return [
    ...(figures.moved === figures.users ? [] : [`only ${figures.moved} of ${figures.users} people moved`]),
    ...(figures.rolledBack > 0 ? [] : ["nobody was rolled back"]),
    ...none(figures.tokensLost, "tokens lost"),
    ...none(figures.doubleRefreshes, "double refreshes"),
    ...(figures.itemsPublished > 0 ? [] : ["nothing was published"]),
    ...none(figures.itemsLost, "items lost"),
    ...none(figures.itemsDoubled, "items doubled"),
    ...none(figures.reauthorizations, "accounts to be reauthorized"),
    ...(figures.tokenQueriesBefore > 0
      ? []
      : ["no token queries were seen before the move, so none of their absence is proved"]),
    ...none(figures.tokenQueriesAfter, "token queries to D1 after the move"),
    ...(figures.users < cronJudgedFrom || figures.cronMsAfter <= figures.cronMsBefore / cronShare
      ? []
      : [
          `cron took ${figures.cronMsAfter} ms after the move, more than a tenth of the ${figures.cronMsBefore} ms before`,
        ]),
  ]
}

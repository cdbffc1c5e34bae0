import { WorkerEntrypoint } from "cloudflare:workers"
import { peak } from "../../limits/workers/Invocation.ts"
import { watchDatabase } from "../../limits/workers/watchDatabase.ts"

/** Columns of `user_accounts` that hold grants, and that the contract step drops. */
const tokenColumns = /\b(access_token|refresh_token|expires_at)\b/i

/** What this worker has sent to D1 since it started; its objects and entrypoints share the isolate. */
const counts = { statements: 0, tokenStatements: 0 }
export type StatementCounts = Readonly<typeof counts & { readonly mostSubrequests: number }>

const tell = (sent: ReadonlyArray<string>) => {
  counts.statements += sent.length
  counts.tokenStatements += sent.filter((sql) => tokenColumns.test(sql)).length
}

/** The bindings as they are, but for a D1 whose statements are counted, from outside pollen's own code. */
export const watched = <Env extends { readonly DB: D1Database }>(env: Env): Env => ({
  ...env,
  DB: watchDatabase(env.DB, tell),
})

/** Tells the counts of the worker that exports it. */
export class Statements extends WorkerEntrypoint {
  counts(): StatementCounts {
    return { ...counts, mostSubrequests: peak.subrequests }
  }
}

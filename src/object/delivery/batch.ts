import { jsonArray } from "../../domain/jsonTexts.ts"
import { insertItems, upsertSources } from "../../feed/statements.ts"
import * as statements from "./statements.ts"

type OutboxRow = Pick<statements.OutboxRow, "kind" | "body">

/** What D1 is told of the object itself, as a row of `durable_object_status`. */
export interface Heartbeat {
  readonly durableObjectId: string
  readonly heartbeatAt: number
  readonly expectedBy: number | null
  readonly nextDueAt: number | null
  readonly sources: number
  readonly failingSources: number
  readonly setAside: number
  /** JSON. */
  readonly accounts: string
  /** JSON: the token operations that the object has answered. */
  readonly operations: string
}

/** A held grant in the clear, for D1's mirror; the columns are nulled where there is none. */
export interface MirroredGrant {
  readonly provider: string
  readonly epoch: number
  readonly accessToken: string | null
  readonly refreshToken: string | null
  readonly expiresAt: number | null
  readonly scope: string | null
  readonly authorizedAt: number | null
  readonly client: string | null
}

/** Where a source was when the object last polled it, for the legacy poller to go on from. */
export interface Cursor {
  readonly provider: string
  readonly sourceId: string
  readonly polledAt: number | null
  readonly itemCount: number | null
}

/** Whose object a delivery comes from. */
interface Sender {
  readonly userId: string
  readonly durableObjectId: string
  readonly createdAt: number
}

/** What one delivery brings: rows of the outbox, and what they stand for as it is when the delivery leaves. */
interface Contents {
  readonly rows: ReadonlyArray<OutboxRow>
  readonly accounts: ReadonlyArray<statements.HeldAccount>
  readonly mirror: ReadonlyArray<MirroredGrant>
  readonly cursors: ReadonlyArray<Cursor>
  readonly heartbeat: Heartbeat | null
}

const bodiesOf = (rows: ReadonlyArray<OutboxRow>) => jsonArray(rows.map(({ body }) => body))

/** Follows and unfollows keep their order: runs of the same kind make one statement each. */
const followStatements = (database: D1Database, userId: string, rows: ReadonlyArray<OutboxRow>) => {
  const runs: Array<Array<OutboxRow>> = []
  for (const row of rows) {
    const run = runs.at(-1)
    if (run?.[0]?.kind === row.kind && row.kind !== "unfollow_all") run.push(row)
    else runs.push([row])
  }
  return runs.map((run) => {
    const kind = run[0]?.kind
    if (kind === "unfollow_all") {
      const { provider }: { readonly provider: string } = JSON.parse(run[0]?.body ?? "{}")
      return database.prepare(statements.deleteAllFollows).bind(provider, userId)
    }
    const { upsertFollows, deleteFollows } = statements.feed
    return database.prepare(kind === "follow" ? upsertFollows : deleteFollows).bind(bodiesOf(run), userId)
  })
}

/** Makes the statements of one delivery, in the order in which they must run. `now`: epoch milliseconds. */
export const toBatch = (
  database: D1Database,
  { userId, durableObjectId, createdAt }: Sender,
  now: number,
  { rows, accounts, mirror, cursors, heartbeat }: Contents,
): Array<D1PreparedStatement> => {
  const ofKind = (...kinds: ReadonlyArray<string>) => rows.filter(({ kind }) => kinds.includes(kind))
  const batch: Array<D1PreparedStatement> = []
  const add = (sql: string, ...values: ReadonlyArray<unknown>) => batch.push(database.prepare(sql).bind(...values))
  if (ofKind("account").length > 0 && accounts.length > 0) {
    add(statements.upsertUser, userId, durableObjectId, createdAt)
    add(statements.upsertAccounts, JSON.stringify(accounts), userId, now)
  }
  if (mirror.length > 0) add(statements.updateMirror, JSON.stringify(mirror), userId, now)
  const sources = ofKind("source")
  if (sources.length > 0) add(upsertSources, bodiesOf(sources))
  batch.push(...followStatements(database, userId, ofKind("follow", "unfollow", "unfollow_all")))
  const items = ofKind("item")
  if (items.length > 0) {
    const json = bodiesOf(items)
    add(insertItems, json)
    add(statements.feed.insertFeed, json, userId)
  }
  if (cursors.length > 0) add(statements.updateCursors, JSON.stringify(cursors), userId)
  if (heartbeat !== null) {
    const { heartbeatAt, expectedBy, nextDueAt, sources, failingSources, accounts, operations, setAside } = heartbeat
    add(
      statements.upsertStatus,
      ...[userId, heartbeat.durableObjectId, heartbeatAt, expectedBy, nextDueAt],
      ...[sources, failingSources, accounts, operations, setAside],
    )
  }
  return batch
}

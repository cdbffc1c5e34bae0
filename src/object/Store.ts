import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite"
import { Context, Effect, Layer } from "effect"
import type * as schema from "../../schema/object.ts"

export type ObjectDatabase = DrizzleSqliteDODatabase

/**
 * A statement that each object builds once and then only runs: on the polling path, drizzle's building costs several times what
 * SQLite takes to run it. Values that differ from run to run are `sql.placeholder`s.
 */
export const prepared = <A>(build: (db: ObjectDatabase) => A): ((db: ObjectDatabase) => A) => {
  const built = new WeakMap<ObjectDatabase, A>()
  return (db) => {
    const known = built.get(db)
    if (known !== undefined) return known
    const made = build(db)
    built.set(db, made)
    return made
  }
}

/** What an erasure leaves: times are epoch milliseconds, and the epoch lies above every one that an account had. */
export type Tombstone = Readonly<Pick<typeof schema.tombstone.$inferSelect, "forgottenAt" | "epoch">>

/** All tables but those of the platform, of SQLite and of the migrations. */
const selectTables = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'
  AND name NOT GLOB '__*'`

/** What the object keeps, and its one alarm. SQL in an object is synchronous, and a failing statement is a defect. */
export class Store extends Context.Service<
  Store,
  {
    readonly db: ObjectDatabase
    /** Runs SQL as it stands; the parameters are `?1`, `?2`, and so on. For statements that take their rows as one JSON parameter. */
    readonly exec: (query: string, ...parameters: ReadonlyArray<SqlStorageValue>) => void
    /** Rows as SQLite has them, for what is asked before every request and for every source: mapping costs more than reading there. */
    readonly rows: <Row extends Readonly<Record<string, SqlStorageValue>>>(
      query: string,
      ...parameters: ReadonlyArray<SqlStorageValue>
    ) => ReadonlyArray<Row>
    readonly userId: string
    readonly durableObjectId: string
    /** All or nothing; also against a crash. */
    readonly transaction: <A>(body: () => A) => Effect.Effect<A>
    /** Waits until everything written so far would survive a crash. */
    readonly durable: Effect.Effect<void>
    readonly alarmAt: Effect.Effect<number | null>
    /** Epoch milliseconds; `null` takes the alarm away. */
    readonly setAlarm: (at: number | null) => Effect.Effect<void>
    /** Deletes every row and the alarm, and leaves a tombstone: all or nothing, also against a crash. */
    readonly erase: (tombstone: Tombstone) => Effect.Effect<void>
  }
>()("pollen/object/Store") {
  static readonly layer = (state: DurableObjectState, userId: string): Layer.Layer<Store> =>
    Layer.sync(Store, () => {
      // Looked up once: each is a getter of the platform's, and costs as much as a small statement.
      const { storage } = state
      const { sql } = storage
      return {
        db: drizzle(storage),
        exec: (query, ...parameters) => void sql.exec(query, ...parameters),
        rows: <Row extends Readonly<Record<string, SqlStorageValue>>>(
          query: string,
          ...parameters: ReadonlyArray<SqlStorageValue>
        ) => sql.exec<Row>(query, ...parameters).toArray(),
        userId,
        durableObjectId: state.id.toString(),
        transaction: (body) => Effect.sync(() => storage.transactionSync(body)),
        durable: Effect.promise(() => storage.sync()),
        alarmAt: Effect.promise(() => storage.getAlarm()),
        setAlarm: (at) => Effect.promise(() => (at === null ? storage.deleteAlarm() : storage.setAlarm(at))),
        erase: ({ forgottenAt, epoch }) =>
          Effect.promise(async () => {
            // Rows, and not the whole storage: the tombstone must be there from the moment at which they are gone.
            storage.transactionSync(() => {
              for (const { name } of sql.exec<{ name: string }>(selectTables).toArray())
                sql.exec(`DELETE FROM "${name}"`)
              sql.exec("INSERT INTO tombstone (id, forgotten_at, epoch) VALUES (1, ?1, ?2)", forgottenAt, epoch)
            })
            await storage.deleteAlarm()
            await storage.sync()
          }),
      }
    })
}

import { drizzle } from "drizzle-orm/durable-sqlite"
import { migrate } from "drizzle-orm/durable-sqlite/migrator"

type Migrations = Parameters<typeof migrate>[1]

/** When the newest of the migrations that an object has taken was made, by drizzle's own table of them; `null` for a new object. */
const newestTaken = ({ sql }: DurableObjectStorage): number | null => {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = '__drizzle_migrations'").toArray()
  if (tables.length === 0) return null
  const [row] = sql.exec<{ at: number | null }>("SELECT max(created_at) AS at FROM __drizzle_migrations").toArray()
  return row?.at ?? null
}

/**
 * Brings an object's tables up to date. Nearly every start finds them so, which two small statements tell: drizzle's migrator takes all
 * migrations apart before it looks.
 */
export const migrateOnce = async (storage: DurableObjectStorage, migrations: Migrations): Promise<void> => {
  const newest = Math.max(...migrations.journal.entries.map(({ when }) => when))
  const taken = newestTaken(storage)
  if (taken === null || Number(taken) < newest) await migrate(drizzle(storage), migrations)
}

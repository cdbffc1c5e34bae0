import { env } from "cloudflare:workers"

export const now = Date.UTC(2026, 5, 1)
export const minute = 60_000
export const hour = 60 * minute

interface Resident {
  readonly id: string
  /** When their object should be heard from: epoch milliseconds; `undefined` when it never was. */
  readonly expectedBy?: number | null
  readonly isActive?: boolean
  /** When the account was last written. */
  readonly updatedAt?: number
  readonly hasMoved?: boolean
  readonly holder?: "database" | "object"
  readonly providers?: ReadonlyArray<string>
}

/** Forgets everybody, and the runs. */
export const clear = () =>
  env.DB.batch(
    ["users", "user_accounts", "durable_object_status", "durable_object_metrics"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )

/** Writes what the objects of these people would have reported. */
export const settle = async (residents: ReadonlyArray<Resident>) => {
  const statements = residents.flatMap(
    ({
      id,
      expectedBy,
      isActive = true,
      updatedAt = now - 24 * hour,
      hasMoved = true,
      holder = "object",
      providers = ["spotify"],
    }) => [
      env.DB.prepare("INSERT INTO users (id, durable_object_id, created_at) VALUES (?1, ?2, 0)").bind(
        id,
        hasMoved ? `object-${id}` : null,
      ),
      ...providers.map((provider) =>
        env.DB.prepare(
          `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder)
           VALUES (?1, ?2, ?3, 'connected', ?4, ?5)`,
        ).bind(id, provider, isActive ? 1 : 0, updatedAt, holder),
      ),
      ...(expectedBy === undefined
        ? []
        : [
            env.DB.prepare(
              `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, sources, failing_sources, accounts)
               VALUES (?1, ?2, 0, ?3, 0, 0, '[]')`,
            ).bind(id, `object-${id}`, expectedBy),
          ]),
    ],
  )
  for (let from = 0; from < statements.length; from += 500) await env.DB.batch(statements.slice(from, from + 500))
}

/** D1 with a count of the statements prepared on it, and of the rows that those read which are not in a batch. */
export const counted = (database: D1Database) => {
  const counter = { queries: 0, rowsRead: 0 }
  const metered = (original: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(original, {
      get: (target, key) => {
        if (key === "bind") return (...values: Array<unknown>) => metered(target.bind(...values))
        const member: unknown = Reflect.get(target, key)
        if (typeof member !== "function") return member
        if (key !== "all" && key !== "raw" && key !== "run") return member.bind(target)
        return async (...values: Array<unknown>) => {
          // `raw` does not tell what it has read: a statement that only reads is asked twice.
          if (key === "raw") counter.rowsRead += (await target.all()).meta.rows_read
          const answer = await member.apply(target, values)
          if (key !== "raw") counter.rowsRead += answer.meta.rows_read
          return answer
        }
      },
    })
  const DB = new Proxy(database, {
    get: (target, key) => {
      if (key === "prepare") {
        return (sql: string) => {
          counter.queries++
          return metered(target.prepare(sql))
        }
      }
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  return { counter, DB }
}

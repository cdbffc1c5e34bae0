import { applyD1Migrations, reset } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { budgets, clock, outages, settings } from "./worker.ts"

// Files share a workerd. Each finds it as if it were new: no object, D1 with nothing but its tables, the real time.
await reset()
// A reset that comes while D1 is asked something may leave it as it was.
const { results: tables } = await env.DB.prepare(
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
).all<{ readonly name: string }>()
if (tables.length > 0) await env.DB.batch(tables.map(({ name }) => env.DB.prepare(`DROP TABLE "${name}"`)))
await applyD1Migrations(env.DB, env.DATABASE_MIGRATIONS)
clock.aheadMs = 0
delete settings.REQUEST_TIMEOUT
delete settings.DATABASE_TIMEOUT
delete settings.YOUTUBE_API_KEY
delete settings.SOURCE_HUBS
outages.feedRows = null
budgets.bound = null
budgets.variables = {}

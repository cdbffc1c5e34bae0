import { applyD1Migrations, reset } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { clock, settings } from "./worker.ts"

// Files share a workerd. Each finds it as if it were new: no object, D1 with nothing but its tables, the real time.
await reset()
await applyD1Migrations(env.DB, env.DATABASE_MIGRATIONS)
clock.aheadMs = 0
delete settings.REQUEST_TIMEOUT

import type { ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { UserSubscriptionManager as Limited } from "../../limits/workers/core.ts"
import { watchDatabase } from "../../limits/workers/watchDatabase.ts"

export {
  CronEntrypoint,
  GatewayEntrypoint,
  MigrationEntrypoint,
  ProviderBudget,
  SourceHub,
} from "../../limits/workers/core.ts"

/** Statements that each person's object has sent to D1 since the worker started, by user id. */
const statements = new Map<string, number>()

/** The object as it is deployed, under Cloudflare's limits, with its D1 binding watched from outside pollen's own code. */
export class UserSubscriptionManager extends Limited {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    const userId = state.id.name ?? ""
    const count = (sent: ReadonlyArray<string>) => statements.set(userId, (statements.get(userId) ?? 0) + sent.length)
    super(state, { ...env, DB: watchDatabase(env.DB, count) })
  }
}

/** Tells the counts, as `{ [userId]: statements }`. The objects share this isolate; nobody reaches it but the process that started it. */
export default { fetch: () => Response.json(Object.fromEntries(statements)) } satisfies ExportedHandler

import { UserSubscriptionManager as Live, type ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { watchDatabase } from "./watchDatabase.ts"

export { CronEntrypoint, GatewayEntrypoint, MigrationEntrypoint } from "../../../src/core/entrypoints.ts"

/** Statements that each person's object has sent to D1 since the worker started, by user id. */
const statements = new Map<string, number>()

/** The object as it is deployed, with its D1 binding watched from outside pollen's own code. */
export class UserSubscriptionManager extends Live<ObjectEnv> {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    const userId = state.id.name ?? ""
    const count = (sent: ReadonlyArray<string>) => statements.set(userId, (statements.get(userId) ?? 0) + sent.length)
    super(state, { ...env, DB: watchDatabase(env.DB, count) })
  }
}

/** Tells the counts, as `{ [userId]: statements }`. The objects share this isolate; nobody reaches it but the process that started it. */
export default { fetch: () => Response.json(Object.fromEntries(statements)) } satisfies ExportedHandler

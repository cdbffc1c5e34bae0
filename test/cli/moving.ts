import type { D1Database } from "@cloudflare/workers-types"
import type { TestHarness } from "wrangler"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import { startSimulator } from "../../local/simulator/server/start.ts"
import { migrationWorker, simulatedCoreWorker } from "../../local/stack/LocalWorker.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { generateKeys } from "../../src/cli/state/keys.ts"

/** The migration and core workers as they are deployed, the simulator, and people whose grants D1 holds. */
export interface Moving {
  readonly url: string
  readonly adminToken: string
  readonly database: D1Database
  readonly harness: TestHarness
  readonly simulator: SimulatorClient
  /** Every token that anybody was given: none of them may ever be shown. */
  readonly tokens: ReadonlySet<string>
  /** Gives these people a grant at each provider, in D1, as an operator had them before pollen. */
  readonly addPeople: (userIds: ReadonlyArray<string>) => Promise<void>
  readonly close: () => Promise<void>
}

const providers = ["spotify", "youtube"] as const

export const startMoving = async (): Promise<Moving> => {
  const simulator = await startSimulator({ seed: 5 })
  const keys = generateKeys()
  const { harness, url, database, close } = await openStack({
    workers: [migrationWorker(keys), simulatedCoreWorker(keys, simulator.client.url)],
  })
  const tokens = new Set<string>()

  const addPeople = async (userIds: ReadonlyArray<string>) => {
    await simulator.client.createPeople(userIds.map((id) => ({ id })))
    const asked = userIds.flatMap((person) => providers.map((provider) => ({ person, provider })))
    const grants = await simulator.client.grants(asked)
    const statements = asked.flatMap(({ person, provider }, index) => {
      const grant = grants[index]
      if (grant === undefined) return []
      tokens.add(grant.accessToken).add(grant.refreshToken)
      return [
        database.prepare("INSERT OR IGNORE INTO users (id, created_at) VALUES (?, 0)").bind(person),
        database
          .prepare(
            `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope, generation)
             VALUES (?, ?, 0, ?, ?, ?, ?, 1)`,
          )
          .bind(person, provider, grant.accessToken, grant.refreshToken, grant.expiresAt, grant.scope.join(" ")),
      ]
    })
    await database.batch(statements)
  }

  return {
    url: url.href.replace(/\/$/, ""),
    ...{ adminToken: keys.ADMIN_TOKEN, database, harness, tokens, addPeople },
    simulator: simulator.client,
    close: async () => {
      await close()
      await simulator.close()
    },
  }
}

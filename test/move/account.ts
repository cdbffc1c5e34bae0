import { env, exports } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import type { Grant, GrantInput } from "../../local/simulator/model.ts"
import { spotifyLifetimeMs } from "../../src/domain/grantLife.ts"
import type { Provider } from "../../src/domain/provider.ts"
import type { TokenSet } from "../../src/domain/token.ts"
import { DatabaseGrants, type DatabaseGrantsOptions } from "../../src/move/DatabaseGrants.ts"
import { forever } from "../forever.ts"
import { SharedSimulatorClient } from "../simulator/sharedClient.ts"

/** Refresh tokens work once here: whoever uses one twice loses the grant. */
export const simulator = new SharedSimulatorClient(env.STRICT_SIMULATOR_URL)

const client = { clientId: "simulator-client", clientSecret: Redacted.make("simulator-secret"), clients: new Map() }
const { spotify, youtube } = simulator.endpoints

const endpoints: DatabaseGrantsOptions["endpoints"] = {
  spotify: { apiUrl: spotify.api, tokenUrl: spotify.token, ...client },
  youtube: { apiUrl: youtube.api, tokenUrl: youtube.token, ...client },
}

export const toTokens = ({ accessToken, refreshToken, expiresAt, scope }: Grant): TokenSet => ({
  accessToken: Redacted.make(accessToken),
  refreshToken: Redacted.make(refreshToken),
  expiresAt,
  scope,
})

/** Runs a program as one worker would: with a service of its own. */
export const withGrants = <A, E>(
  program: (grants: DatabaseGrants["Service"]) => Effect.Effect<A, E>,
  options: Partial<DatabaseGrantsOptions> = {},
): Promise<A> =>
  Effect.gen(function* () {
    return yield* program(yield* DatabaseGrants)
  }).pipe(
    Effect.provide(
      DatabaseGrants.layer({
        database: env.DB,
        endpoints,
        grantLifetimes: { spotify: spotifyLifetimeMs, youtube: null },
        timeoutMs: forever,
        importTokens: (payload) => exports.MigrationEntrypoint.importTokens(payload),
        ...options,
      }),
    ),
    Effect.runPromise,
  )

let accounts = 0

/** An account of somebody whose grant is in D1. */
export class Account {
  readonly userId = `account-${++accounts}-${crypto.randomUUID().slice(0, 8)}`
  readonly provider: Provider

  constructor(provider: Provider = "spotify") {
    this.provider = provider
  }

  /** Writes a grant that the provider has just issued into D1, with an access token that has `minutes` to live. */
  async connected(minutes = -1, options: GrantInput = {}) {
    const grant = await simulator.grant(this.userId, this.provider, { expiresInSeconds: minutes * 60, ...options })
    await env.DB.prepare(
      `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope)
       VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)`,
    )
      .bind(this.userId, this.provider, grant.accessToken, grant.refreshToken, grant.expiresAt, grant.scope.join(" "))
      .run()
    return this
  }

  /** Sets columns of the row. */
  async has(columns: Readonly<Record<string, string | number | null>>) {
    const names = Object.keys(columns)
    const set = names.map((name, index) => `${name} = ?${index + 3}`).join(", ")
    await env.DB.prepare(`UPDATE user_accounts SET ${set} WHERE user_id = ?1 AND provider = ?2`)
      .bind(this.userId, this.provider, ...Object.values(columns))
      .run()
    return this
  }

  async isAt(stage: string) {
    await env.DB.prepare(
      "INSERT INTO token_migration_status (user_id, stage, state, updated_at) VALUES (?1, ?2, 'migrated', 0)",
    )
      .bind(this.userId, stage)
      .run()
    return this
  }

  row() {
    return env.DB.prepare("SELECT * FROM user_accounts WHERE user_id = ?1 AND provider = ?2")
      .bind(this.userId, this.provider)
      .first<Record<string, string | number | null>>()
  }

  /** Requests to the token endpoint. */
  async refreshes() {
    const { byKind } = await simulator.counts({ person: this.userId, kind: "token" })
    return byKind.token ?? 0
  }

  /** Whether the grant in D1 is the one that the provider would refresh next. */
  async isNewestInDatabase() {
    const { newestRefreshToken } = await simulator.tokenState(this.userId, this.provider)
    return (await this.row())?.["refresh_token"] === newestRefreshToken
  }

  issued(expiresInSeconds = 3600) {
    return simulator.grant(this.userId, this.provider, { expiresInSeconds })
  }
}

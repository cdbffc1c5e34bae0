import { env, exports } from "cloudflare:workers"
import { Redacted } from "effect"
import type { Grant, ItemState } from "../../local/simulator/model.ts"
import { newFingerprintKey } from "../../src/domain/fingerprint.ts"
import type { Provider } from "../../src/domain/provider.ts"
import type { TokenSet } from "../../src/domain/token.ts"
import { call } from "../../src/rpc/call.ts"
import { GetStatus, RefreshTokens } from "../../src/rpc/methods.ts"
import * as move from "../../src/rpc/move.ts"
import { Person, simulator } from "./person.ts"

export const toTokens = (grant: Grant): TokenSet => ({
  ...grant,
  accessToken: Redacted.make(grant.accessToken),
  refreshToken: Redacted.make(grant.refreshToken),
})

/** A key for fingerprints that are compared over time. */
export const lastingKey = newFingerprintKey()

/** A row of user_accounts, as far as the move goes. */
interface AccountRow {
  readonly holder: string
  readonly epoch: number
  readonly generation: number
  readonly state: string
  readonly is_active: number
  readonly access_token: string | null
  readonly refresh_token: string | null
  readonly expires_at: number | null
}

/** Somebody who moves: with a grant in D1, and the methods of the migration worker's entrypoint. */
export class PersonInMove extends Person {
  /** Puts a grant into D1, as somebody has it who has not moved. */
  async hasInDatabase(provider: Provider, given: { readonly epoch?: number; readonly holder?: string } = {}) {
    const grant = await simulator.grant(this.id, provider)
    await env.DB.batch([
      env.DB.prepare("INSERT INTO users (id, created_at) VALUES (?1, 1) ON CONFLICT DO NOTHING").bind(this.id),
      env.DB.prepare(
        `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, access_token, refresh_token, expires_at,
           scope, holder, epoch, generation) VALUES (?1, ?2, 1, 'connected', 1, ?3, ?4, ?5, ?6, ?7, ?8, 1)`,
      ).bind(
        this.id,
        provider,
        grant.accessToken,
        grant.refreshToken,
        grant.expiresAt,
        grant.scope.join(" "),
        given.holder ?? "database",
        given.epoch ?? 1,
      ),
    ])
    return grant
  }

  async isAt(stage: string) {
    await env.DB.prepare(
      "INSERT INTO token_migration_status (user_id, stage, state, updated_at) VALUES (?1, ?2, 'migrated', 1) ON CONFLICT DO UPDATE SET stage = ?2",
    )
      .bind(this.id, stage)
      .run()
  }

  async row(provider: Provider) {
    return await env.DB.prepare("SELECT * FROM user_accounts WHERE user_id = ?1 AND provider = ?2")
      .bind(this.id, provider)
      .first<AccountRow>()
  }

  /** As the migrator's switch does it: D1 gives the right away, or takes it. */
  async switchTo(provider: Provider, holder: string, epoch: number) {
    await env.DB.prepare("UPDATE user_accounts SET holder = ?3, epoch = ?4 WHERE user_id = ?1 AND provider = ?2")
      .bind(this.id, provider, holder, epoch)
      .run()
  }

  importGrant(
    provider: Provider,
    grant: Grant,
    given: { readonly epoch?: number; readonly generation?: number; readonly authorizedAt?: number } = {},
  ) {
    const keep = call(move.ImportTokens, (wire) => exports.MigrationEntrypoint.importTokens(wire))
    const { epoch = 1, generation = 1, ...known } = given
    const accounts = [{ provider, epoch, generation, tokens: { ...toTokens(grant), ...known } }]
    return this.run(keep({ userId: this.id, accounts }))
  }

  takeOver(provider: Provider, epoch: number, sources: ReadonlyArray<move.HandedSource> = [], isMirrored = false) {
    const take = call(move.TakeOver, (wire) => exports.MigrationEntrypoint.takeOver(wire))
    return this.run(take({ userId: this.id, accounts: [{ provider, epoch }], sources, isMirrored }))
  }

  handBack(provider: Provider, epoch: number) {
    const give = call(move.HandBack, (wire) => exports.MigrationEntrypoint.handBack(wire))
    return this.run(give({ userId: this.id, accounts: [{ provider, epoch }] }))
  }

  setMirror(isMirrored: boolean) {
    const set = call(move.SetMirror, (wire) => exports.MigrationEntrypoint.setMirror(wire))
    return this.run(set({ userId: this.id, isMirrored }))
  }

  discardCopies() {
    const discard = call(move.DiscardCopies, (wire) => exports.MigrationEntrypoint.discardCopies(wire))
    return this.run(discard({ userId: this.id }))
  }

  async fingerprints(probe = false, key = newFingerprintKey()) {
    const ask = call(move.FingerprintTokens, (wire) => exports.MigrationEntrypoint.fingerprintTokens(wire))
    return (await this.run(ask({ userId: this.id, key, probe }))).accounts
  }

  /** The account, as the object sees it. */
  async account(provider: Provider) {
    const ask = call(GetStatus, (wire) => exports.MigrationEntrypoint.getStatus(wire))
    return (await this.run(ask({ userId: this.id }))).accounts.find((one) => one.provider === provider)
  }

  async tokenRequests(provider: Provider = "spotify") {
    return (await simulator.ledger({ person: this.id, provider, kind: "token" })).length
  }

  async requests() {
    return (await simulator.counts({ person: this.id })).total
  }

  /** As another worker asks for it, which acts on the person's behalf. */
  async accessToken(provider: Provider = "spotify") {
    const ask = call(move.GetAccessToken, (wire) => exports.TokensEntrypoint.getAccessToken(wire))
    const { accessToken, ...answer } = await this.run(ask({ userId: this.id, provider }))
    return { ...answer, accessToken: Redacted.value(accessToken) }
  }

  /** Asks the object itself, and D1's side not, to refresh whatever it may. */
  refreshInObject() {
    const refresh = call(RefreshTokens, (wire) => this.stub.refreshTokens(wire))
    return this.run(refresh({ userId: this.id, force: true }))
  }

  /** What the object exports, which is what it holds. */
  async exportedRefreshTokens() {
    return (await this.exportTokens()).accounts.map(({ tokens }) => Redacted.value(tokens.refreshToken))
  }

  /** The legacy poller has polled this source, and delivered these items. */
  async hasPolled(sourceId: string, items: ReadonlyArray<ItemState>) {
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at, polled_at, item_count)
         VALUES (?1, 'spotify', ?2, 1, ?3, ?4)`,
      ).bind(this.id, sourceId, Date.now() - 3_600_000, items.length),
      ...items.flatMap(({ id, publishedAt }) => [
        env.DB.prepare(
          `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, published_at, precision)
           VALUES ('spotify', ?1, ?2, 'episode', '', '', '', ?3, 'day') ON CONFLICT DO NOTHING`,
        ).bind(id, sourceId, publishedAt),
        env.DB.prepare(
          `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
           VALUES (?1, ?2, 'spotify', ?3, 1, 1) ON CONFLICT DO NOTHING`,
        ).bind(this.id, publishedAt, id),
      ]),
    ])
  }

  /** The migrator's switch forward: only a row that is as it was copied. Returns whether it was. */
  async switchForward() {
    const { meta } = await env.DB.prepare(
      `UPDATE user_accounts SET holder = 'object', epoch = epoch + 1
       WHERE user_id = ?1 AND provider = 'spotify' AND holder = 'database' AND epoch = 1 AND generation = 1`,
    )
      .bind(this.id)
      .run()
    return meta.changes > 0
  }

  /** The migrator's switch back: only a row that the object held. */
  async switchBack({ accounts }: Awaited<ReturnType<PersonInMove["handBack"]>>) {
    for (const { provider, epoch, tokens } of accounts) {
      if (tokens === null) continue
      await env.DB.prepare(
        `UPDATE user_accounts SET holder = 'database', epoch = ?3, refresh_token = ?4, access_token = ?5, expires_at = ?6,
           generation = generation + 1
         WHERE user_id = ?1 AND provider = ?2 AND holder = 'object' AND epoch = ?3 - 1`,
      )
        .bind(
          this.id,
          provider,
          epoch,
          Redacted.value(tokens.refreshToken),
          Redacted.value(tokens.accessToken),
          tokens.expiresAt,
        )
        .run()
    }
  }
}

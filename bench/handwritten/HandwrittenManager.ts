import { DurableObject } from "cloudflare:workers"
import { countedDatabase, newCounts } from "../workers/core/countedDatabase.ts"
import type { BenchEnv } from "../workers/core/env.ts"
import type { PlainGrant } from "../workers/operations.ts"
import { deliver } from "./deliver.ts"
import { clients, type Get, type Item, type Page, type Provider, type Source } from "./providers.ts"

const tables = `
  CREATE TABLE IF NOT EXISTS tokens (provider TEXT PRIMARY KEY, access_token TEXT, expires_at INTEGER);
  CREATE TABLE IF NOT EXISTS pages (provider TEXT, key TEXT, etag TEXT, next TEXT, PRIMARY KEY (provider, key));
  CREATE TABLE IF NOT EXISTS sources (provider TEXT, id TEXT, title TEXT, listed_count INTEGER, item_count INTEGER,
    etag TEXT, polled_at INTEGER, PRIMARY KEY (provider, id));
  CREATE TABLE IF NOT EXISTS items (provider TEXT, source_id TEXT, id TEXT, published_at INTEGER,
    PRIMARY KEY (provider, source_id, id));
  CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, kind TEXT, body TEXT);
  CREATE TABLE IF NOT EXISTS polls (id INTEGER PRIMARY KEY, provider TEXT, at INTEGER, items INTEGER);`

type SourceRow = { id: string; listed_count: number | null; etag: string | null; polled_at: number | null }

const backfillItems = 20
const sourcesAtOnce = 6
/** As pollen in this bench: no alarm polls while it is measured. */
const pollEveryMs = 6 * 3_600_000

/**
 * The shortest honest object that polls as pollen does: no Effect, no drizzle, no schemas. It makes the same requests, keeps what
 * it needs to make them (entity tags, cursors, known items, an outbox written with the cursor) and writes the same rows to D1.
 * It sets its next alarm, and goes by no interval of a source's own. It has no retries, no limits, no seals, no refresh, no status: what those cost pollen is part of what is measured.
 */
export class HandwrittenManager extends DurableObject<BenchEnv> {
  readonly #sql = this.ctx.storage.sql
  // Counted like pollen's, so that counting costs both the same.
  readonly #database = countedDatabase(this.env.HANDWRITTEN_DB, newCounts())

  constructor(state: DurableObjectState, env: BenchEnv) {
    super(state, env)
    this.#sql.exec(tables)
  }

  async setToken({ provider, tokens }: PlainGrant): Promise<void> {
    this.#sql.exec("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", provider, tokens.accessToken, tokens.expiresAt)
    this.#enqueue("account", { provider, at: Date.now() })
  }

  async leave(): Promise<void> {
    this.ctx.abort()
  }

  override async alarm(): Promise<void> {
    await this.pollNow(this.ctx.id.name ?? "")
  }

  async pollNow(userId: string): Promise<{ delivered: number }> {
    const providers = this.#sql.exec<{ provider: Provider }>("SELECT provider FROM tokens ORDER BY provider").toArray()
    await Promise.all(providers.map(({ provider }) => this.#poll(provider)))
    // Without an alarm it would poll this once and never again.
    await this.ctx.storage.setAlarm(Date.now() + pollEveryMs)
    return {
      delivered: await this.#deliver(
        userId,
        providers.map(({ provider }) => provider),
      ),
    }
  }

  async #poll(provider: Provider): Promise<void> {
    const token = this.#sql.exec("SELECT access_token FROM tokens WHERE provider = ?", provider).one()["access_token"]
    const get: Get = async <Body>(url: string, etag: string | null) => {
      const headers = { accept: "application/json", authorization: `Bearer ${token}` }
      const response = await fetch(url, { headers: etag === null ? headers : { ...headers, "if-none-match": etag } })
      if (response.status === 304) return null
      if (!response.ok) throw new Error(`${url} answered ${response.status}`)
      return { body: await response.json<Body>(), etag: response.headers.get("etag") }
    }
    await this.#synchronise(provider, get)
    const changed = this.#sql
      .exec<SourceRow>("SELECT * FROM sources WHERE provider = ? AND listed_count IS NOT item_count", provider)
      .toArray()
    let found = 0
    const queue = changed.values()
    const lane = async () => {
      for (const source of queue) found += await this.#pollSource(provider, get, source)
    }
    await Promise.all(Array.from({ length: sourcesAtOnce }, lane))
    this.#sql.exec("INSERT INTO polls (provider, at, items) VALUES (?, ?, ?)", provider, Date.now(), found)
  }

  async #synchronise(provider: Provider, get: Get): Promise<void> {
    const api = this.#api(provider)
    let key: string | null = null
    do {
      const known: { etag: string | null; next: string | null } | undefined = this.#sql
        .exec<{ etag: string; next: string | null }>(
          "SELECT etag, next FROM pages WHERE provider = ? AND key = ?",
          provider,
          key ?? "",
        )
        .toArray()[0]
      const page: Page<Source> | null = await clients[provider].library(get, api, key, known?.etag ?? null)
      const here = key
      key = page === null ? (known?.next ?? null) : page.next
      if (page === null) continue
      this.ctx.storage.transactionSync(() => {
        for (const source of page.entries) this.#list(source)
        this.#sql.exec("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)", provider, here ?? "", page.etag, page.next)
      })
    } while (key !== null)
  }

  #list({ itemCount, ...source }: Source): void {
    const { provider, externalId, title } = source
    const ofSource = [provider, externalId]
    const known = this.#sql.exec("SELECT id FROM sources WHERE provider = ? AND id = ?", ...ofSource).toArray()
    if (known.length > 0) {
      const changed = "UPDATE sources SET listed_count = ? WHERE provider = ? AND id = ? AND listed_count IS NOT ?"
      this.#sql.exec(changed, itemCount, ...ofSource, itemCount)
      return
    }
    this.#sql.exec(
      "INSERT INTO sources (provider, id, title, listed_count) VALUES (?, ?, ?, ?)",
      ...ofSource,
      title,
      itemCount,
    )
    this.#enqueue("source", { ...source, at: Date.now() })
  }

  async #pollSource(provider: Provider, get: Get, source: SourceRow): Promise<number> {
    const api = this.#api(provider)
    const isFirst = source.polled_at === null
    const known = new Set(
      this.#sql
        .exec<{ id: string }>("SELECT id FROM items WHERE provider = ? AND source_id = ?", provider, source.id)
        .toArray()
        .map(({ id }) => id),
    )
    const listed: Array<Item> = []
    let etag = source.etag
    let key: string | null = null
    do {
      const page: Page<Item> | null = await clients[provider].items(
        get,
        api,
        source.id,
        key,
        key === null && !isFirst ? etag : null,
      )
      if (page === null) break
      if (key === null) etag = page.etag
      listed.push(...page.entries)
      key = page.next
    } while (!isFirst && key !== null && !listed.some(({ externalId }) => known.has(externalId)))
    const lastKnown = listed.findLastIndex(({ externalId }) => known.has(externalId))
    const unknown = listed.filter(({ externalId }, index) => !known.has(externalId) && (isFirst || index < lastKnown))
    const fresh = await clients[provider].describe(get, api, isFirst ? unknown.slice(0, backfillItems) : unknown)
    this.ctx.storage.transactionSync(() => {
      for (const item of fresh) this.#enqueue("item", { ...item, isBackfill: isFirst, at: Date.now() })
      for (const { externalId, publishedAt } of isFirst ? listed : fresh) {
        this.#sql.exec("INSERT OR IGNORE INTO items VALUES (?, ?, ?, ?)", provider, source.id, externalId, publishedAt)
      }
      this.#sql.exec(
        "UPDATE sources SET item_count = ?, etag = ?, polled_at = ? WHERE provider = ? AND id = ?",
        source.listed_count,
        etag,
        Date.now(),
        provider,
        source.id,
      )
    })
    return fresh.length
  }

  async #deliver(userId: string, providers: ReadonlyArray<Provider>): Promise<number> {
    const rows = this.#sql
      .exec<{ id: number; kind: string; body: string }>("SELECT * FROM outbox ORDER BY id")
      .toArray()
    const last = rows.at(-1)
    if (last === undefined) return 0
    const sources = Number(this.#sql.exec("SELECT count(*) AS rows FROM sources").one()["rows"])
    await deliver(this.#database, { userId, objectId: this.ctx.id.toString(), providers, sources }, rows)
    this.#sql.exec("DELETE FROM outbox WHERE id <= ?", last.id)
    return rows.filter(({ kind }) => kind === "item").length
  }

  #enqueue(kind: string, body: object): void {
    this.#sql.exec("INSERT INTO outbox (kind, body) VALUES (?, ?)", kind, JSON.stringify(body))
  }

  #api(provider: Provider): string {
    return provider === "spotify" ? this.env.SPOTIFY_API_URL : this.env.YOUTUBE_API_URL
  }
}

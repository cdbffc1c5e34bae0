import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import type { SimulatorClient } from "../../local/simulator/client.ts"
import type { Provider, RequestKind } from "../../local/simulator/model.ts"
import type { LegacyRun } from "../../src/legacy/LegacyRun.ts"
import { type LegacyOptions, runLegacy } from "../../src/legacy/runLegacy.ts"
import { forever } from "../forever.ts"
import { SharedSimulatorClient } from "../simulator/sharedClient.ts"

/** Refresh tokens work once here, and the endpoints for several shows are there. */
export const simulator = new SharedSimulatorClient(env.STRICT_SIMULATOR_URL)
/** Here several shows cannot be asked for at once. */
export const withoutSeveral = new SharedSimulatorClient(env.SIMULATOR_URL)

const variablesOf = ({ endpoints: { spotify, youtube } }: SimulatorClient) => ({
  SPOTIFY_CLIENT_ID: "simulator-client",
  SPOTIFY_CLIENT_SECRET: "simulator-secret",
  SPOTIFY_API_URL: spotify.api,
  SPOTIFY_TOKEN_URL: spotify.token,
  YOUTUBE_CLIENT_ID: "simulator-client",
  YOUTUBE_CLIENT_SECRET: "simulator-secret",
  YOUTUBE_API_URL: youtube.api,
  YOUTUBE_TOKEN_URL: youtube.token,
  REQUEST_TIMEOUT: `${forever} millis`,
  UNSAFE_DURATIONS: "true",
})

export interface RunOptions {
  readonly variables?: Readonly<Record<string, string>>
  readonly database?: D1Database
  readonly at?: SimulatorClient
  readonly importTokens?: LegacyOptions["importTokens"]
}

/** One run of the legacy poller, as a program. */
export const program = ({
  variables,
  database = env.DB,
  at = simulator,
  importTokens = (payload) => exports.CronEntrypoint.importTokens(payload),
}: RunOptions = {}) => runLegacy({ variables: { ...variablesOf(at), ...variables }, database, importTokens })

export const run = (options?: RunOptions): Promise<LegacyRun> => Effect.runPromise(program(options))

/** Forgets everybody: each test has D1 to itself. The simulator is shared with other files, and told apart by people. */
export const clear = () =>
  env.DB.batch(
    ["users", "user_accounts", "user_subscriptions", "user_feed_items", "durable_object_metrics"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  )

let people = 0

/** Ids in the order in which the poller meets them. */
const nextId = () => `legacy-${String(++people).padStart(5, "0")}-${crypto.randomUUID().slice(0, 8)}`

/** People who follow these sources, with tokens in D1. */
export const settle = async (
  count: number,
  sources: ReadonlyArray<string>,
  options: { readonly provider?: Provider; readonly expiresInSeconds?: number; readonly at?: SimulatorClient } = {},
): Promise<ReadonlyArray<string>> => {
  const { provider = "spotify", expiresInSeconds = 3600, at = simulator } = options
  const ids = Array.from({ length: count }, nextId)
  await at.createPeople(ids.map((id) => ({ id, sources })))
  await connect(ids, provider, expiresInSeconds, at)
  return ids
}

/** Gives people an account with tokens in D1. */
export const connect = async (
  ids: ReadonlyArray<string>,
  provider: Provider,
  expiresInSeconds = 3600,
  at: SimulatorClient = simulator,
) => {
  const grants = await at.grants(ids.map((person) => ({ person, provider, expiresInSeconds })))
  await env.DB.prepare(
    `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope)
     SELECT value->>'id', ?2, 0, value->>'accessToken', value->>'refreshToken', value->>'expiresAt', 'all'
     FROM json_each(?1) WHERE true`,
  )
    .bind(JSON.stringify(grants.map((grant, index) => ({ ...grant, id: ids[index] }))), provider)
    .run()
}

/** What is in somebody's feed: ids as new, and as backfill. */
export const feedOf = async (userId: string) => {
  const { results } = await env.DB.prepare(
    "SELECT external_id AS id, is_backfill AS isBackfill FROM user_feed_items WHERE user_id = ?1 ORDER BY published_at DESC",
  )
    .bind(userId)
    .all<{ readonly id: string; readonly isBackfill: number }>()
  return {
    fresh: results.filter(({ isBackfill }) => isBackfill === 0).map(({ id }) => id),
    backfill: results.filter(({ isBackfill }) => isBackfill === 1).map(({ id }) => id),
  }
}

/** What somebody follows, as D1 has it. */
export const followsOf = async (userId: string) => {
  const { results } = await env.DB.prepare(
    `SELECT follow.external_id AS id, title, polled_at AS polledAt, item_count AS itemCount
     FROM user_subscriptions follow JOIN subscriptions source USING (provider, external_id) WHERE user_id = ?1`,
  )
    .bind(userId)
    .all<{ readonly id: string; readonly title: string; readonly polledAt: number; readonly itemCount: number }>()
  return results
}

/** Makes it look as if everything had last been asked so many hours ago. */
export const hoursPass = (hours: number) =>
  env.DB.prepare("UPDATE user_subscriptions SET polled_at = polled_at - ?1")
    .bind(hours * 3_600_000)
    .run()

/** The place in the ledger that a test begins at. */
export const ledgerEnd = async (at: SimulatorClient = simulator) => (await at.ledger()).at(-1)?.seq ?? 0

/** The requests that were made for these people, in order. */
export const ledgerOf = async (people: ReadonlyArray<string>, since: number, at: SimulatorClient = simulator) =>
  (await at.ledger({ since })).filter(({ person }) => person !== null && people.includes(person))

/** How many they were, by kind. */
export const requestsOf = async (...[people, since, at]: Parameters<typeof ledgerOf>) => {
  const counts: Partial<Record<RequestKind, number>> = {}
  for (const { kind } of await ledgerOf(people, since, at)) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

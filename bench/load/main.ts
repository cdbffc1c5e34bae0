import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { gatewayWorker, simulatedCoreWorker } from "../../local/stack/LocalWorker.ts"
import { openStack } from "../../local/stack/openStack.ts"
import { runtimeMemory } from "../../local/stack/runtime.ts"
import { type Provider, providers } from "../../src/domain/provider.ts"
import { issueBearer } from "../../src/gateway/bearer.ts"
import { openSimulator } from "../openSimulator.ts"
import { endProgress, progress, say } from "../progress.ts"
import { expectedRows, judge, type Published } from "./judge.ts"
import { readOptions } from "./options.ts"
import { type Follower, populate } from "./population.ts"

/** The longest time between two readings of a library here: as long as two cores need to read everybody's. Milliseconds. */
const longestMs = (users: number) => Math.max(20_000, users * 60)

const waves = 20
/** One person of so many revokes, and one polls by hand. */
const revokesOneOf = 100
const pollsOneOf = 20

/** Does something for each, some at once, and says how far it is. */
const forAll = async <A>(name: string, all: ReadonlyArray<A>, work: (one: A) => Promise<void>) => {
  const tell = progress(name)
  let done = 0
  const next = all.values()
  const worker = async () => {
    for (const one of next) {
      await work(one)
      done += 1
      tell(`${done}/${all.length}`)
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
  endProgress()
}

/** Lets many people follow many sources, and returns the exit code. */
export const load = async (parameters: ReadonlyArray<string>): Promise<number> => {
  const options = readOptions(parameters)
  const startedAt = performance.now()
  const keys = {
    TOKEN_KEYS: `load:${randomBytes(32).toString("base64")}`,
    GATEWAY_KEY: randomBytes(32).toString("base64"),
    ADMIN_TOKEN: "",
  }
  say("Starting the workers and the simulator of the providers.")
  const { simulator, close } = await openSimulator()
  const slowest = longestMs(options.users)
  const vars = {
    POLL_MINIMUM_INTERVAL: `${slowest / 2} millis`,
    POLL_MAXIMUM_INTERVAL: `${slowest} millis`,
    BACKFILL_ITEMS: "1",
    YOUTUBE_API_KEY: "simulator-key",
    REQUEST_TIMEOUT: "29 seconds",
    DATABASE_TIMEOUT: "60 seconds",
  }
  const stack = await openStack({ workers: [gatewayWorker(keys), simulatedCoreWorker(keys, simulator.url, { vars })] })
  const { database } = stack
  const ask = async (
    person: string,
    method: string,
    path: string,
    { body, tries = 10 }: { readonly body?: unknown; readonly tries?: number } = {},
  ): Promise<void> => {
    const headers = {
      authorization: `Bearer ${await issueBearer(keys.GATEWAY_KEY, person)}`,
      "content-type": "application/json",
    }
    const sent = await fetch(new URL(path, stack.url), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await sent.text()
    if (sent.ok || sent.status === 429) return
    // As any client does where it is told so.
    if (sent.status === 503 && tries > 1)
      return sleep(2000).then(() => ask(person, method, path, { body, tries: tries - 1 }))
    throw new Error(`${method} ${path}: ${sent.status} ${text.slice(0, 200)}`)
  }
  const count = async (statement: string) => (await database.prepare(statement).first<{ rows: number }>())?.rows ?? 0

  /** Waits for rows, until there are as many as expected or none has come for long. */
  const waitForRows = async (name: string, statement: string, expected: number) => {
    const tell = progress(name)
    let [rows, at] = [-1, performance.now()]
    while (rows < expected && performance.now() - at < 4 * slowest + 60_000) {
      const found = await count(statement)
      if (found !== rows) [rows, at] = [found, performance.now()]
      tell(`${rows}/${expected}`)
      await sleep(2000)
    }
    endProgress()
    return rows
  }

  const since = (from: number) => Math.round((performance.now() - from) / 1000)
  const measured: Array<readonly [string, string | number]> = []
  try {
    say(`Creating ${options.users} people, who follow ${options.each} shows and ${options.each} channels each.`)
    const { people, sources } = await populate(simulator, options)
    const connectedAt = performance.now()
    const connect = async ({ id }: Follower) => {
      for (const provider of providers) {
        const grant = await simulator.grant(id, provider, { expiresInSeconds: 7200 })
        await ask(id, "PUT", `/v1/accounts/${provider}/token`, { body: grant })
      }
      // Waits for the first poll, as an app does that shows it: people do not all come in one minute.
      await ask(id, "POST", "/v1/poll")
    }
    await forAll("tokens set, and polled", people, connect)
    const firstRows = people.length * options.each * 2
    const backfilled = await waitForRows(
      "first polls",
      "SELECT count(*) AS rows FROM user_feed_items WHERE is_backfill = 1",
      firstRows,
    )
    measured.push(["first polls", `${backfilled} of ${firstRows} rows of backfill, ${since(connectedAt)} s`])
    const requestsBefore = await simulator.counts()
    measured.push(["requests of first polls", requestsBefore.total])

    const publishedAt = performance.now()
    const revoked = new Set(people.filter((_, index) => index % revokesOneOf === 50).map(({ id }) => id))
    const impatient = people.filter(({ id }, index) => index % pollsOneOf === 10 && !revoked.has(id))
    const followed = [...new Set(people.flatMap((person) => person.sources))]
    const published: Array<Published> = []
    const tell = progress("publishing")
    for (let wave = 0; wave < waves; wave += 1) {
      const size = Math.ceil(options.publish / waves)
      const chosen = Array.from(
        { length: size },
        (_, index) => followed[((wave * size + index) * 7919) % followed.length] ?? "",
      )
      const items = await simulator.publishMany(chosen.map((source) => ({ source, count: 1 })))
      for (const [index, sourceId] of chosen.entries()) {
        for (const { id } of items[index] ?? []) published.push({ itemId: id, sourceId })
      }
      const polls = impatient.slice(
        Math.floor((impatient.length * wave) / waves),
        Math.floor((impatient.length * (wave + 1)) / waves),
      )
      const poll = ({ id }: Follower) => ask(id, "POST", "/v1/poll")
      const revoke = (id: string) => Promise.all(providers.map((provider: Provider) => simulator.revoke(id, provider)))
      const revoking = [...revoked].slice(
        Math.floor((revoked.size * wave) / waves),
        Math.floor((revoked.size * (wave + 1)) / waves),
      )
      await Promise.all([...polls.map(poll), ...revoking.map(revoke), sleep(slowest / waves)])
      tell(`${published.length}/${options.publish}`)
    }
    endProgress()
    const judged = people.filter(({ id }) => !revoked.has(id))
    const all = expectedRows(judged, published)
    const of = `SELECT count(*) AS rows FROM user_feed_items WHERE is_backfill = 0
      AND user_id NOT IN (SELECT value FROM json_each('${JSON.stringify([...revoked])}'))`
    await waitForRows("new items", of, all)
    const verdict = await judge(database, judged, published)
    const states = await database
      .prepare(
        `SELECT count(DISTINCT user_id) AS rows FROM user_accounts WHERE state = 'reauthorization_required'
          AND user_id IN (SELECT value FROM json_each(?1))`,
      )
      .bind(JSON.stringify([...revoked]))
      .first<{ rows: number }>()
    const requests = await simulator.counts()
    measured.push(
      ["published", `${published.length} items in ${sources.length} sources, ${since(publishedAt)} s`],
      ["delivered", `${verdict.delivered} of ${all} rows`],
      ["LOST", verdict.lost],
      ["DOUBLED", verdict.doubled],
      ["revoked", `${states?.rows ?? 0} of ${revoked.size} people are said to have to connect again`],
      ["polls by hand", impatient.length],
      ["requests meanwhile", requests.total - requestsBefore.total],
      ["memory", `${await runtimeMemory()} MB of the runtime, with all workers and objects in one process`],
      ["seconds", since(startedAt)],
    )
    say("")
    for (const [name, value] of measured) say(`  ${name.padEnd(26)} ${value}`)
    const errors = stack.takeErrors()
    if (errors.length > 0)
      say(`\n${errors.length} errors in the workers' logs; the last: ${errors.at(-1)?.slice(0, 500)}`)
    return verdict.lost === 0 && verdict.doubled === 0 && verdict.delivered === all ? 0 : 1
  } finally {
    await stack.close()
    await close()
  }
}

import { workersUnderLimits } from "../../local/rehearsal/Workers.ts"
import type { OperationName, Operations } from "../../local/rehearsal/workers/operations.ts"
import type { Figure } from "../figure.ts"
import { forEach, idsOf, insertPeople, makePeople } from "./population.ts"
import { openProduction, type Production } from "./production.ts"

const people = 20
const stages = ["live", "rampdown", "complete"]
const providers = ["spotify", "youtube"] as const
const lookEveryMs = 100

const observerOf =
  ({ harness }: Production) =>
  async <Name extends OperationName>(
    name: Name,
    input: Operations[Name]["input"],
  ): Promise<Operations[Name]["output"]> => {
    const init = { method: "POST", body: JSON.stringify(input) }
    const response = await harness.getWorker("observer").fetch(`http://observer/${name}`, init)
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${await response.text()}`)
    return JSON.parse(await response.text())
  }

const operatorOf =
  ({ harness, keys }: Production) =>
  async (method: string, path: string, body?: unknown): Promise<{ readonly id?: string; readonly state?: string }> => {
    const response = await harness.getWorker("pollen-migration").fetch(`http://pollen-migration${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.ADMIN_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
    return JSON.parse(await response.text())
  }

/** Takes everybody through the stages of the move, to `complete`. */
const moveEverybody = async (production: Production, tell: (progress: string) => void) => {
  const operator = operatorOf(production)
  for (const stage of stages) {
    tell(`everybody to ${stage}`)
    await operator("PATCH", `/v1/flags/stages/${stage}`, { isEnabled: true, percentage: 100 })
    const { id } = await operator("POST", "/v1/runs", { everybody: true, patienceSeconds: 0 })
    for (;;) {
      const { state } = await operator("GET", `/v1/runs/${id}`)
      if (state === "finished") break
      if (state !== "running") throw new Error(`the run to ${stage} ended as ${state}`)
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
  }
  const complete = "SELECT count(*) AS people FROM token_migration_status WHERE stage = 'complete'"
  const moved = await production.database.prepare(complete).first<number>("people")
  if (moved !== people) throw new Error(`${moved} of ${people} people are at complete`)
}

/** What is done with and for people, by name: of each, D1's token columns are looked for among all statements of all workers. */
const windows = (production: Production, ids: ReadonlyArray<string>) => {
  const { simulator, request, database, runCron } = production
  const observe = observerOf(production)
  const each = (act: (userId: string) => Promise<unknown>) => () => forEach(ids, 4, act)
  const poll = each((userId) => request(userId, "POST", "/v1/poll"))
  return {
    poll,
    refresh: async () => {
      await simulator.expireAccessTokens()
      await poll()
    },
    status: each((userId) => request(userId, "GET", "/v1/status")),
    subscriptions: each((userId) => request(userId, "GET", "/v1/subscriptions")),
    feed: each((userId) => request(userId, "GET", "/v1/feed")),
    validate: each((userId) => request(userId, "POST", "/v1/accounts/validate")),
    "access tokens": () =>
      observe(
        "readTokens",
        ids.flatMap((userId) => providers.map((provider) => ({ userId, provider }))),
      ),
    cron: async () => {
      await database.prepare("UPDATE durable_object_status SET expected_by = 1").run()
      await runCron()
    },
    connect: each((userId) => production.connect(userId)),
    disconnect: each((userId) => request(userId, "DELETE", "/v1/accounts/spotify")),
  }
}

export const tokenQueriesAfterMove: Figure = {
  name: "token_queries_after_move",
  says: "Once people have moved, nothing that is done with or for them reads or writes a token in D1.",
  unit: "queries",
  limit: 0,
  bound: "atMost",
  measure: async (_stage, { tell }) => {
    const production = await openProduction({ workersOf: (keys, _url, vars) => workersUnderLimits(keys, vars, {}) })
    try {
      const ids = idsOf(people)
      await makePeople(production, ids)
      await insertPeople(production, ids)
      const observe = observerOf(production)
      const count = async (act: () => Promise<unknown>) => {
        const before = await observe("statements", null)
        await act()
        const after = await observe("statements", null)
        return { ofTokens: after.ofTokens - before.ofTokens, all: after.all - before.all }
      }
      const { cron, "access tokens": tokens } = windows(production, ids)
      const before = await count(async () => {
        await cron()
        await tokens()
      })
      if (before.ofTokens === 0)
        throw new Error("no token query was seen before the move: none is proved by none after")
      await moveEverybody(production, tell)
      const counted: Array<{ readonly name: string; readonly ofTokens: number; readonly all: number }> = []
      for (const [name, act] of Object.entries(windows(production, ids))) {
        tell(name)
        counted.push({ name, ...(await count(act)) })
      }
      const each = counted.map(({ name, ofTokens, all }) => `${name} ${ofTokens} of ${all}`).join(", ")
      const how = `statements that name a token column, of all that the four workers and the objects send to D1, counted at their bindings; ${people} people with two accounts each, at complete, the columns still there; ${each}. Before the move, a run of cron and a read of each access token made ${before.ofTokens} of ${before.all}`
      return {
        value: counted.reduce((sum, { ofTokens }) => sum + ofTokens, 0),
        how,
        samples: {
          tokenQueries: counted.map(({ ofTokens }) => ofTokens),
          statements: counted.map(({ all }) => all),
        },
      }
    } finally {
      await production.close()
    }
  },
}

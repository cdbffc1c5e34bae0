import { env } from "cloudflare:workers"
import { afterAll, beforeAll, expect, it } from "vitest"
import { Api } from "../../src/migration/api/Api.ts"
import type { MigrationEnv } from "../../src/migration/env.ts"
import { makeMigration } from "../../src/migration/makeMigration.ts"
import { PersonInMove } from "../object/personInMove.ts"
import { endpointsOf, makeRequests, shown } from "../payloads/requests.ts"
import { allObjects, changes, everythingStored } from "../payloads/stored.ts"
import { clock } from "../worker.ts"
import { begin, bindings } from "./driver.ts"
import { dropTables, makeTables } from "./table/oldTables.ts"

// Ahead of the platform's own clock: no alarm fires by itself, and changes what is compared.
clock.aheadMs = 2 * 3_600_000

const shared = { key: "id", timestamps: "seconds", providers: { old: "spotify" } }
const columns = { userId: "who", provider: "service" }
const feed = {
  what: "feed",
  table: "old_feed",
  columns: { ...columns, itemId: "item", sourceId: "source", publishedAt: "at" },
}
const follows = {
  what: "follows",
  table: "old_follows",
  columns: { ...columns, sourceId: "source", itemCount: "items" },
}
const grants = {
  table: "old_grants",
  columns: { ...columns, accessToken: "access", refreshToken: "refresh", expiresAt: "ends" },
}

/** Bodies of endpoints whose schemas refuse nearly all that is made up. */
const bodies: Readonly<Record<string, unknown>> = {
  checkTable: { mapping: { ...shared, ...grants }, sample: 10 },
  importRows: { mapping: { ...shared, ...grants }, limit: 10, isDry: false },
  checkFollows: { mapping: { ...shared, ...follows }, sample: 10 },
  importFollows: { mapping: { ...shared, ...follows }, limit: 10, isDry: false },
  checkFeed: { mapping: { ...shared, ...feed }, sample: 10 },
  importFeed: { mapping: { ...shared, ...feed }, limit: 10, isDry: false },
  dropTokenColumns: { confirm: "drop the token columns", nobodyEverMoved: false },
}

/** Rows as old tables may have them: good ones, and what no column should hold. */
const oldRows = [
  "INSERT INTO old_grants (who, service, access, refresh, ends) VALUES ('eve', 'old', 'a', 'r', 1), ('', 7, x'00', NULL, 'soon')",
  "INSERT INTO old_follows (who, service, source, items) VALUES ('eve', 'old', 's', 3), (NULL, 'old', 1e308, 'many')",
  "INSERT INTO old_feed (who, service, item, source, at) VALUES ('eve', 'old', 'i', 's', 1), ('eve', 'old', x'ff', '', -1)",
]

beforeAll(async () => {
  await makeTables()
  await env.DB.batch(oldRows.map((statement) => env.DB.prepare(statement)))
})
afterAll(dropTables)

const credential = "x".repeat(32)

/** A platform that starts, pauses and ends instances, and runs none. */
let state = "running"
const become = (next: string) => async () => {
  state = next
}
const instance = {
  id: "an-instance",
  status: async () => ({ status: state }),
  pause: become("paused"),
  resume: become("running"),
  restart: become("running"),
  terminate: become("terminated"),
}
const started = async () => Object.assign(Object.create(null), instance)
const MOVE: MigrationEnv["MOVE"] = {
  get: started,
  create: started,
  createBatch: async () => Object.create(null),
  deleteBatch: async () => Object.create(null),
}
const migration = makeMigration({ ...bindings, MOVE, ADMIN_TOKEN: credential })

it.each(endpointsOf(Api).map((endpoint, index) => [endpoint.identifier, endpoint, index] as const))(
  "%s answers made-up requests without a defect, and a refused one changes nothing",
  async (_name, endpoint, index) => {
    const ofOthers = await allObjects()
    const person = new PersonInMove()
    await person.hasInDatabase("spotify")
    await env.DB.exec("UPDATE migration_runs SET state = 'cancelled'")
    await become("running")()
    const run = await begin({ people: [person.id] })
    let before = await everythingStored(ofOthers)
    const given = { count: Number(env.PAYLOADS), seed: index + 1 }
    const kept = { params: { userId: person.id, id: run, stage: "live" }, body: bodies[endpoint.identifier] }
    for (const made of await makeRequests(endpoint, given, kept)) {
      const response = await migration(
        new Request(`https://pollen.test${made.path}`, {
          method: made.method,
          headers: { ...made.headers, authorization: `Bearer ${credential}` },
          ...(made.body === undefined || made.method === "GET" ? {} : { body: made.body }),
        }),
      )
      const text = await response.text()
      expect(response.status, `${shown(made)} ${text}`).toSatisfy((code: number) => code < 500)
      const after = await everythingStored(ofOthers)
      if (response.status >= 400) {
        expect(JSON.parse(text), shown(made)).toMatchObject({ status: response.status, type: expect.any(String) })
        expect(changes(before, after), `${shown(made)} is answered ${response.status}`).toEqual([])
      }
      before = after
    }
  },
)

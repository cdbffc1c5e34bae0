import { listDurableObjectIds, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"

/** Tables that tell what was asked, refusals too. */
const records: ReadonlyArray<string> = ["operations", "token_operations", "operator_actions"]

const isOwn = (name: string) => !/^(sqlite_|_cf|__|d1_)/.test(name) && !records.includes(name)
const selectTables = "SELECT name FROM sqlite_schema WHERE type = 'table'"

const inDatabase = async () => {
  const { results } = await env.DB.prepare(selectTables).all<{ readonly name: string }>()
  const tables = results.filter(({ name }) => isOwn(name))
  const rows = await env.DB.batch(tables.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`)))
  return tables.map(({ name }, index) => [name, JSON.stringify(rows[index]?.results)] as const)
}

const inObject = (id: string) =>
  runInDurableObject(env.USERS.get(env.USERS.idFromString(id)), (_instance, { storage: { sql } }) =>
    sql
      .exec<{ name: string }>(selectTables)
      .toArray()
      .filter(({ name }) => isOwn(name))
      .map(
        ({ name }) => [`object ${id}: ${name}`, JSON.stringify(sql.exec(`SELECT * FROM "${name}"`).toArray())] as const,
      ),
  )

export const allObjects = async () => (await listDurableObjectIds(env.USERS)).map(String)

/** Everything that D1 and all objects but those of others hold, by place. */
export const everythingStored = async (ofOthers: ReadonlyArray<string>): Promise<ReadonlyMap<string, string>> => {
  const ids = (await allObjects()).filter((id) => !ofOthers.includes(id))
  const objects = await Promise.all(ids.map(inObject))
  return new Map([...(await inDatabase()), ...objects.flat()])
}

/** The places that differ. What stands there may be secret, and is not for a message. */
export const changes = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((place) => before.get(place) !== after.get(place))

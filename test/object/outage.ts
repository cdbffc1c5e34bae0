import { env } from "cloudflare:workers"
import { vi } from "vitest"

const delivered = ["users", "subscriptions", "user_subscriptions", "feed_items", "durable_object_status"]

/** D1 refuses whatever an object sends it, until disposed. Nothing is mocked: the tables are not there. */
export const d1Outage = async (...tables: ReadonlyArray<string>) => away(tables.length === 0 ? delivered : tables)

const away = async (tables: ReadonlyArray<string>) => {
  const rename = (from: string, to: string) =>
    env.DB.batch(tables.map((table) => env.DB.prepare(`ALTER TABLE ${from}${table} RENAME TO ${to}${table}`)))
  await rename("", "away_")
  return { [Symbol.asyncDispose]: async () => void (await rename("away_", "")) }
}

/** D1 takes the next batches, and their answers are lost on the way. */
export const lostAnswers = (times: number) => {
  const batch = env.DB.batch.bind(env.DB)
  const spy = vi.spyOn(env.DB, "batch")
  for (let lost = 0; lost < times; lost += 1) {
    spy.mockImplementationOnce(async (statements) => {
      await batch(statements)
      throw new Error("Network connection lost.")
    })
  }
  return { [Symbol.dispose]: () => spy.mockRestore() }
}

/** D1 does not answer the next batch, until told to: it takes it then. */
export const hangingBatch = () => {
  const batch = env.DB.batch.bind(env.DB)
  const answering = Promise.withResolvers<void>()
  const spy = vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
    await answering.promise
    return batch(statements)
  })
  return { answer: answering.resolve, [Symbol.dispose]: () => spy.mockRestore() }
}

/** D1 refuses the rows of a table that a condition on `NEW`, or on `OLD` for a deletion, chooses, until disposed. */
export const refusal = async (table: string, condition: string, event: "INSERT" | "DELETE" = "INSERT") => {
  await env.DB.exec(
    `CREATE TRIGGER refusal BEFORE ${event} ON ${table} WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
  )
  return { [Symbol.asyncDispose]: async () => void (await env.DB.exec("DROP TRIGGER refusal")) }
}

/** Everything that is asked of D1 from now on, by whomever. */
export const watchD1 = () => {
  const spies = [vi.spyOn(env.DB, "batch"), vi.spyOn(env.DB, "exec"), vi.spyOn(env.DB, "prepare")]
  return {
    queries: () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    /** The parameters of every statement of every batch, as bound. */
    batches: () => spies[0]?.mock.calls.length ?? 0,
    [Symbol.dispose]: () => {
      for (const spy of spies) spy.mockRestore()
    },
  }
}

import { runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { call } from "../../../src/rpc/call.ts"
import * as methods from "../../../src/rpc/methods.ts"
import { clock } from "../../worker.ts"
import { captureLogs } from "../logs.ts"
import { Person, simulator } from "../person.ts"
import { dumpObject, leakFinder, printed } from "../traces.ts"

afterEach(() => {
  clock.aheadMs = 0
})

const everythingInD1 = async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  ).all<{ name: string }>()
  const tables = await Promise.all(results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()))
  return JSON.stringify(tables.map(({ results: rows }) => rows))
}

describe("A token", () => {
  it("is in no log, error, answer, table of the object or of D1, whatever happens to it", async () => {
    using logs = captureLogs()
    const told: Array<unknown> = []
    const show = await simulator.createSource({ provider: "spotify", items: 2 })
    const channel = await simulator.createSource({ provider: "youtube", items: 2 })
    const person = await new Person().follows(show, channel)
    const ask = async <A>(what: Promise<A>) => {
      told.push(await what.catch((error: unknown) => error))
    }
    /** Refreshes although the refresh before has failed. */
    const refresh = async () => {
      await person.sql("UPDATE tokens SET retry_at = NULL")
      await ask(person.refreshTokens({ force: true }))
    }
    await ask(person.connects("spotify"))
    await ask(person.connects("youtube"))
    await ask(person.pollNow())
    await refresh()
    for (const fault of [
      { type: "reset" },
      { type: "html" },
      { type: "truncated" },
      { type: "status", status: 500 },
      { type: "status", status: 401 },
    ] as const) {
      const ids = await simulator.setFaults([{ match: { person: person.id }, fault, afterProcessing: true }])
      await ask(person.pollNow())
      await refresh()
      await ask(person.validateTokens())
      await simulator.clearFaults(ids)
    }
    // A token endpoint that says the token it was given back to us, in an error and in a page.
    const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
    for (const body of [
      { error: newestRefreshToken, error_description: `unknown token ${newestRefreshToken}` },
      `<html>${newestRefreshToken}</html>`,
    ]) {
      const match = { person: person.id, kind: "token" } as const
      const ids = await simulator.setFaults([{ match, fault: { type: "status", status: 400, body } }])
      await refresh()
      await simulator.clearFaults(ids)
    }
    // A defect in the middle of a poll.
    await runInDurableObject(person.stub, (_instance, { storage }) => {
      storage.sql.exec("ALTER TABLE polls RENAME TO polls_away")
    })
    await ask(person.pollNow())
    await runInDurableObject(person.stub, (_instance, { storage }) => {
      storage.sql.exec("ALTER TABLE polls_away RENAME TO polls")
    })
    // A bad payload with a good token in it.
    const grant = await simulator.grant(person.id, "spotify")
    const set = call(methods.SetToken, () =>
      exports.GatewayEntrypoint.setToken({ userId: person.id, provider: grant.accessToken, tokens: grant } as never),
    )
    const tokens = (await person.exportTokens()).accounts[0]?.tokens
    if (tokens === undefined) throw new Error("no account to export")
    await ask(Effect.runPromise(set({ userId: person.id, provider: "spotify", tokens })))
    // What a program sees is redacted, also when it is printed.
    told.push(tokens, String(tokens.accessToken), JSON.stringify(tokens))
    await simulator.revoke(person.id, "spotify")
    await refresh()
    await ask(person.status())
    await ask(person.wake())

    const traces = {
      told: told.map(printed).join("\n"),
      logs: logs.text(),
      object: await dumpObject(person.stub),
      database: await everythingInD1(),
    }
    const secrets = await simulator.secrets()
    expect(secrets.length).toBeGreaterThan(5)
    // The traces are what they claim to be.
    expect(traces.object).toContain(show)
    expect(traces.database).toContain(show)
    expect(traces.told).toContain("reauthorization_required")
    expect(traces.logs).toContain("polls")
    const leaked = leakFinder(secrets)
    for (const [where, trace] of Object.entries(traces)) {
      expect(leaked(trace), `tokens in ${where}`).toEqual([])
      expect(trace).not.toContain("simulator-secret")
    }
  })
})

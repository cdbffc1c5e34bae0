import { runInDurableObject } from "cloudflare:test"
import { inspect } from "node:util"
import type { SourceHub } from "../../src/hub/SourceHub.ts"
import type { UserSubscriptionManager } from "../worker.ts"

/** What the tests of this file have seen of errors and captured logs. */
export const seen: Array<string> = []

/** An error in every way in which a program could print it. */
export const printed = (thing: unknown): string =>
  (thing instanceof Error ? `${thing.stack}\n` : "") + inspect(thing, { depth: 20 }) + (JSON.stringify(thing) ?? "")

/** Everything that an object's SQLite holds, every table and column; bytes are read as latin1, where ASCII stays what it is. */
export const dumpObject = (stub: DurableObjectStub<UserSubscriptionManager> | DurableObjectStub<SourceHub>) =>
  runInDurableObject(stub as DurableObjectStub<SourceHub>, (_instance, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
    const text = (value: unknown) =>
      value instanceof ArrayBuffer ? Buffer.from(value).toString("latin1") : String(value)
    return tables
      .flatMap(({ name }) =>
        storage.sql
          .exec(`SELECT * FROM "${name}"`)
          .toArray()
          .flatMap((row) => Object.values(row).map(text)),
      )
      .join("\n")
  })

/** Shortest piece of a token that counts as a leak, in characters. */
const pieceLength = 24

/** Tells which of these secrets a text holds: whole, in part, or in base64. */
export const leakFinder = (secrets: ReadonlyArray<string>): ((trace: string) => ReadonlyArray<string>) => {
  const owners = new Map<string, string>()
  for (const secret of secrets) {
    const middle = secret.length / 2
    owners.set(secret.slice(0, pieceLength), secret)
    owners.set(secret.slice(middle, middle + pieceLength), secret)
    owners.set(secret.slice(-pieceLength), secret)
    owners.set(btoa(secret).slice(0, pieceLength), secret)
  }
  // There are thousands of secrets, so it is the text that is gone through: once, whatever their number.
  return (trace) => {
    const found = new Set<string>()
    for (let at = 0; at + pieceLength <= trace.length; at += 1) {
      const owner = owners.get(trace.slice(at, at + pieceLength))
      if (owner !== undefined) found.add(owner)
    }
    return [...found]
  }
}

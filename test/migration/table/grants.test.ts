import { Result } from "effect"
import { expect, it } from "vitest"
import type { GrantsMapping as Mapping } from "../../../src/migration/api/mapping.ts"
import { parseRow } from "../../../src/migration/table/grants.ts"

const mapping: Mapping = {
  table: "old",
  provider: "spotify",
  timestamps: "milliseconds",
  scope: "spaces",
  columns: { userId: "u", accessToken: "a", refreshToken: "r", expiresAt: "e", scope: "s", client: "c" },
}
const row = { key: 1, userId: "ada", accessToken: "a", refreshToken: "r", expiresAt: Date.UTC(2026, 0), scope: "" }

it("reads the name of the OAuth client of a row, the default one where the column is empty, and refuses what is no name", () => {
  const clientOf = (client: unknown) => Result.map(parseRow(mapping, { ...row, client }), (parsed) => parsed.client)
  expect(clientOf("second")).toEqual(Result.succeed("second"))
  expect(clientOf(null)).toEqual(Result.succeed(null))
  expect(clientOf("")).toEqual(Result.succeed(null))
  expect(clientOf("no name")).toMatchObject({ failure: { key: 1, reason: "unreadable_client" } })
})

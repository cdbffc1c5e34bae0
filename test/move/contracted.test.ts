import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { Account, withGrants } from "./account.ts"

it("accounts that objects hold are still told from others when the token columns are gone", async () => {
  const account = await (await new Account().connected()).has({ holder: "object", epoch: 2 })
  const unknown = new Account()
  for (const column of ["access_token", "refresh_token", "expires_at", "scope"]) {
    await env.DB.exec(`ALTER TABLE user_accounts DROP COLUMN ${column}`)
  }
  const ask = (whose: Account) => withGrants((grants) => Effect.flip(grants.accessToken(whose)))
  expect(await ask(account)).toMatchObject({ _tag: "HeldByObject", epoch: 2 })
  expect(await ask(unknown)).toMatchObject({ _tag: "AccountNotConnected" })
  expect(await withGrants((grants) => grants.find(account))).toMatchObject({ value: { holder: "object" } })
})

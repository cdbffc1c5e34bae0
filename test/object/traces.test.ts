import { expect, it } from "vitest"
import { simulator } from "./person.ts"
import { leakFinder } from "./traces.ts"

it.each<readonly [string, (secret: string) => string]>([
  ["whole", (secret) => secret],
  ["its beginning", (secret) => secret.slice(0, 30)],
  ["its middle", (secret) => secret.slice(secret.length / 2 - 4, secret.length / 2 + 30)],
  ["its end", (secret) => secret.slice(-30)],
  ["in base64", (secret) => btoa(secret)],
])("a secret is found in a text that has it, %s, and in no other", async (_how, written) => {
  const { accessToken, refreshToken } = await simulator.grant(`traces-${crypto.randomUUID()}`, "spotify")
  const leaked = leakFinder([accessToken, refreshToken])
  expect(leaked(`before ${written(refreshToken)} after`)).toEqual([refreshToken])
  expect(leaked(`before ${refreshToken.slice(0, 20)} after`)).toEqual([])
})

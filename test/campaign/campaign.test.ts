import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import { campaign } from "./campaign.ts"
import { silence } from "./silence.ts"

const sequences = Number(env.CAMPAIGN_SEQUENCES)
const seed = Number(env.CAMPAIGN_SEED)

/** The part of all polls that succeeds in the end. */
const promised = 0.9999

it(`in ${sequences} sequences of faults from seed ${seed}, nothing is lost, doubled or left behind, and polls succeed in the end`, {
  timeout: Number.POSITIVE_INFINITY,
}, async () => {
  using silent = silence("campaign: ")
  const { polls, troubles } = await campaign({
    seed,
    sequences,
    path: env.CAMPAIGN_PATH,
    tell: (done) => silent.say(JSON.stringify({ done })),
  })
  silent.say(JSON.stringify({ polls, troubles }))
  expect(polls.succeeded / polls.begun).toBeGreaterThanOrEqual(promised)
})

import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Provider } from "../../src/domain/provider.ts"
import { SubscriptionCursor } from "../../src/domain/subscription.ts"
import { UserId } from "../../src/domain/user.ts"
import { DualModeSubscriptionRepository } from "../../src/move/DualModeSubscriptionRepository.ts"
import { d1Outage } from "../object/outage.ts"

const userId = UserId.make("ada")

const followed = (provider: Provider, sourceId: string) => ({
  ...{ provider, sourceId, title: sourceId, url: "https://example.com", imageUrl: null },
  ...{ state: "active" as const, dueAt: 1, intervalMs: 1, polledAt: 1, publishedAt: null, failures: 0, reason: null },
})

interface Place {
  readonly next?: string | undefined
  readonly cursor?: string | undefined
}

/** A page of somebody of whom the object holds one account, while D1 cannot be read. */
const list = async (held: Provider, { next, cursor }: Place) => {
  await using _outage = await d1Outage("user_accounts")
  return await Effect.runPromise(
    Effect.result(
      Effect.flatMap(DualModeSubscriptionRepository, (repository) =>
        repository.list({ userId, limit: 1, ...(cursor === undefined ? {} : { cursor }) }),
      ).pipe(
        Effect.provide(
          DualModeSubscriptionRepository.layer({
            database: env.DB,
            askObject: () =>
              Effect.succeed({ subscriptions: [followed(held, "one")], next: next ?? null, held: [held] }),
          }),
        ),
      ),
    ),
  )
}

const [spotify, youtube] = (["spotify", "youtube"] as const).map((provider) =>
  Schema.encodeSync(SubscriptionCursor)([provider, "one"]),
)

describe("While D1 is down, a page of what somebody follows", () => {
  it.each([
    ["would go on beyond an account that D1 may hold", "youtube", { next: youtube }],
    ["is to go on within an account that D1 holds", "youtube", { cursor: spotify }],
  ] as const)("is an error where it %s", async (_where, held, options) => {
    expect(await list(held, options)).toMatchObject({ failure: { _tag: "DatabaseUnavailable" } })
  })

  it.each([
    ["goes on before what D1 may hold", "spotify", { next: spotify }],
    ["goes on where D1's accounts have been listed", "youtube", { next: youtube, cursor: youtube }],
    ["is all that the object has", "youtube", {}],
  ] as const)("is there where it %s", async (_where, held, options) => {
    expect(await list(held, options)).toMatchObject({ success: { subscriptions: [{ provider: held }] } })
  })
})

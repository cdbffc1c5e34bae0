import { Effect } from "effect"
import { DualModeSubscriptionRepository } from "../../move/DualModeSubscriptionRepository.ts"
import type { SubscriptionQuery } from "../../rpc/methods.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"

/** What the person follows, from where their accounts are. */
export const listSubscriptions = (env: CoreEnv, query: typeof SubscriptionQuery.Type) =>
  Effect.flatMap(DualModeSubscriptionRepository, (subscriptions) => subscriptions.list(query)).pipe(
    Effect.provide(
      DualModeSubscriptionRepository.layer({
        database: env.DB,
        askObject: (asked) => personInObject(env, asked.userId).listSubscriptions(asked),
      }),
    ),
  )

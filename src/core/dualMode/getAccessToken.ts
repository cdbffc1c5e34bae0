import { Effect, Layer } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import { DualModeTokenService } from "../../move/DualModeTokenService.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"
import { databaseGrantsLayer } from "./databaseGrants.ts"

/** An access token of an account, wherever the person is in the move. `waitUntil` is the invocation's. */
export const getAccessToken = (
  env: CoreEnv,
  waitUntil: (work: Promise<void>) => void,
  account: { readonly userId: UserId; readonly provider: Provider },
) =>
  Effect.flatMap(DualModeTokenService, (tokens) => tokens.getAccessToken(account)).pipe(
    Effect.provide(
      DualModeTokenService.layer({
        database: env.DB,
        askObject: (asked) => personInObject(env, asked.userId).getAccessToken(asked),
        later: (work) => waitUntil(Effect.runPromise(work)),
      }).pipe(Layer.provide(databaseGrantsLayer(env))),
    ),
  )

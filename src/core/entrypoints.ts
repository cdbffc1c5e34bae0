import { WorkerEntrypoint } from "cloudflare:workers"
import { Effect } from "effect"
import type { UserId } from "../domain/user.ts"
import type { ProgressCallback, UserSubscriptionManager } from "../object/UserSubscriptionManager.ts"
import type { CommonError, Contract, Reply, Wire } from "../rpc/contract.ts"
import { forward } from "../rpc/forward.ts"
import {
  EndPauses,
  ExportTokens,
  Forget,
  GetStatus,
  ListSubscriptions,
  PollNow,
  Redeliver,
  RefreshTokens,
  RemoveToken,
  SetToken,
  ValidateTokens,
  Wake,
} from "../rpc/methods.ts"
import {
  DiscardCopies,
  FingerprintTokens,
  GetAccessToken,
  HandBack,
  ImportTokens,
  SetMirror,
  TakeOver,
} from "../rpc/move.ts"
import { ConfirmPushes, TakePush } from "../rpc/push.ts"
import { serve } from "../rpc/serve.ts"
import { getAccessToken } from "./dualMode/getAccessToken.ts"
import { getStatus } from "./dualMode/getStatus.ts"
import { listSubscriptions } from "./dualMode/listSubscriptions.ts"
import { pollNow } from "./dualMode/pollNow.ts"
import { refreshTokens } from "./dualMode/refreshTokens.ts"
import { removeToken } from "./dualMode/removeToken.ts"
import { setToken } from "./dualMode/setToken.ts"
import { validateTokens } from "./dualMode/validateTokens.ts"
import type { CoreEnv } from "./env.ts"
import { hubFor } from "./hub.ts"
import { objectOf } from "./object.ts"

/** Forwards a method to the object of the person it is about. */
const toObject = <Name extends string, P extends { readonly userId: UserId }, W, A, E>(
  env: CoreEnv,
  contract: Contract<Name, P, W, A, E>,
  wire: W,
  invoke: (object: DurableObjectStub<UserSubscriptionManager>) => PromiseLike<Reply<Name>>,
): Promise<Reply<Name>> => Effect.runPromise(forward(contract, wire, (userId) => invoke(objectOf(env, userId))))

/** Answers a method itself, where an object alone cannot: it asks the object, and D1 for what that does not hold. */
const answer = <Name extends string, P, W, A, E>(
  contract: Contract<Name, P, W, A, E>,
  wire: W,
  handler: (payload: P) => Effect.Effect<A, E | CommonError>,
): Promise<Reply<Name>> => Effect.runPromise(serve(contract, handler)(wire))

/** What the gateway worker may do. No method here hands out a token. */
export class GatewayEntrypoint extends WorkerEntrypoint<CoreEnv> {
  setToken(payload: Wire<typeof SetToken>) {
    return answer(SetToken, payload, (grant) => setToken(this.env, grant))
  }
  removeToken(payload: Wire<typeof RemoveToken>) {
    return answer(RemoveToken, payload, (account) => removeToken(this.env, account))
  }
  validateTokens(payload: Wire<typeof ValidateTokens>) {
    return answer(ValidateTokens, payload, (person) => validateTokens(this.env, person))
  }
  refreshTokens(payload: Wire<typeof RefreshTokens>) {
    return answer(RefreshTokens, payload, (wanted) => refreshTokens(this.env, wanted))
  }
  pollNow(payload: Wire<typeof PollNow>, onProgress?: ProgressCallback) {
    return answer(PollNow, payload, (person) => pollNow(this.env, person, onProgress))
  }
  getStatus(payload: Wire<typeof GetStatus>) {
    return answer(GetStatus, payload, (person) => getStatus(this.env, person))
  }
  listSubscriptions(payload: Wire<typeof ListSubscriptions>) {
    return answer(ListSubscriptions, payload, (query) => listSubscriptions(this.env, query))
  }
  forget(payload: Wire<typeof Forget>) {
    return toObject(this.env, Forget, payload, (object) => object.forget(payload))
  }
  /** Of WebSub: hints about public channels, from nobody in particular. */
  confirmPushes(payload: Wire<typeof ConfirmPushes>) {
    return answer(ConfirmPushes, payload, (asked) =>
      Effect.flatMap(hubFor(this.env, asked.sourceId), ({ confirmPushes }) => confirmPushes(asked)),
    )
  }
  takePush(payload: Wire<typeof TakePush>) {
    return answer(TakePush, payload, (push) =>
      Effect.flatMap(hubFor(this.env, push.sourceId), ({ takePush }) => takePush(push)),
    )
  }
}

/** What the cron worker may do: read a status, wake, and keep copies of what the legacy poller refreshed. It cannot read a token out. */
export class CronEntrypoint extends WorkerEntrypoint<CoreEnv> {
  wake(payload: Wire<typeof Wake>) {
    return toObject(this.env, Wake, payload, (object) => object.wake(payload))
  }
  importTokens(payload: Wire<typeof ImportTokens>) {
    return toObject(this.env, ImportTokens, payload, (object) => object.importTokens(payload))
  }
  getStatus(payload: Wire<typeof GetStatus>) {
    return toObject(this.env, GetStatus, payload, (object) => object.getStatus(payload))
  }
}

/** What the migration worker may do: the only entrypoint through which tokens come in from, or go back to, elsewhere. */
export class MigrationEntrypoint extends WorkerEntrypoint<CoreEnv> {
  importTokens(payload: Wire<typeof ImportTokens>) {
    return toObject(this.env, ImportTokens, payload, (object) => object.importTokens(payload))
  }
  fingerprintTokens(payload: Wire<typeof FingerprintTokens>) {
    return toObject(this.env, FingerprintTokens, payload, (object) => object.fingerprintTokens(payload))
  }
  takeOver(payload: Wire<typeof TakeOver>) {
    return toObject(this.env, TakeOver, payload, (object) => object.takeOver(payload))
  }
  handBack(payload: Wire<typeof HandBack>) {
    return toObject(this.env, HandBack, payload, (object) => object.handBack(payload))
  }
  setMirror(payload: Wire<typeof SetMirror>) {
    return toObject(this.env, SetMirror, payload, (object) => object.setMirror(payload))
  }
  discardCopies(payload: Wire<typeof DiscardCopies>) {
    return toObject(this.env, DiscardCopies, payload, (object) => object.discardCopies(payload))
  }
  exportTokens(payload: Wire<typeof ExportTokens>) {
    return toObject(this.env, ExportTokens, payload, (object) => object.exportTokens(payload))
  }
  validateTokens(payload: Wire<typeof ValidateTokens>) {
    return toObject(this.env, ValidateTokens, payload, (object) => object.validateTokens(payload))
  }
  removeToken(payload: Wire<typeof RemoveToken>) {
    return answer(RemoveToken, payload, (account) => removeToken(this.env, account))
  }
  getStatus(payload: Wire<typeof GetStatus>) {
    return toObject(this.env, GetStatus, payload, (object) => object.getStatus(payload))
  }
  endPauses(payload: Wire<typeof EndPauses>) {
    return toObject(this.env, EndPauses, payload, (object) => object.endPauses(payload))
  }
  redeliver(payload: Wire<typeof Redeliver>) {
    return toObject(this.env, Redeliver, payload, (object) => object.redeliver(payload))
  }
}

/** What a worker may do that acts on people's behalf: ask for an access token, and nothing else. */
export class TokensEntrypoint extends WorkerEntrypoint<CoreEnv> {
  getAccessToken(payload: Wire<typeof GetAccessToken>) {
    return answer(GetAccessToken, payload, (account) =>
      getAccessToken(this.env, (work) => this.ctx.waitUntil(work), account),
    )
  }
}

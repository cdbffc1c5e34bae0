import { WorkerEntrypoint } from "cloudflare:workers"
import { Effect } from "effect"
import type { UserId } from "../domain/user.ts"
import type { ProgressCallback, UserSubscriptionManager } from "../object/UserSubscriptionManager.ts"
import type { Contract, Reply, Wire } from "../rpc/contract.ts"
import { forward } from "../rpc/forward.ts"
import {
  ExportTokens,
  Forget,
  GetStatus,
  ListSubscriptions,
  PollNow,
  RefreshTokens,
  RemoveToken,
  SetToken,
  ValidateTokens,
  Wake,
} from "../rpc/methods.ts"
import { ImportTokens } from "../rpc/move.ts"
import type { CoreEnv } from "./env.ts"

/** Forwards a method to the object of the person it is about. */
const toObject = <Name extends string, P extends { readonly userId: UserId }, W, A, E>(
  env: CoreEnv,
  contract: Contract<Name, P, W, A, E>,
  wire: W,
  invoke: (object: DurableObjectStub<UserSubscriptionManager>) => PromiseLike<Reply<Name>>,
): Promise<Reply<Name>> =>
  Effect.runPromise(forward(contract, wire, (userId) => invoke(env.USERS.get(env.USERS.idFromName(userId)))))

/** What the gateway worker may do. No method here hands out a token. */
export class GatewayEntrypoint extends WorkerEntrypoint<CoreEnv> {
  setToken(payload: Wire<typeof SetToken>) {
    return toObject(this.env, SetToken, payload, (object) => object.setToken(payload))
  }
  removeToken(payload: Wire<typeof RemoveToken>) {
    return toObject(this.env, RemoveToken, payload, (object) => object.removeToken(payload))
  }
  validateTokens(payload: Wire<typeof ValidateTokens>) {
    return toObject(this.env, ValidateTokens, payload, (object) => object.validateTokens(payload))
  }
  refreshTokens(payload: Wire<typeof RefreshTokens>) {
    return toObject(this.env, RefreshTokens, payload, (object) => object.refreshTokens(payload))
  }
  pollNow(payload: Wire<typeof PollNow>, onProgress?: ProgressCallback) {
    return toObject(this.env, PollNow, payload, (object) => object.pollNow(payload, onProgress))
  }
  getStatus(payload: Wire<typeof GetStatus>) {
    return toObject(this.env, GetStatus, payload, (object) => object.getStatus(payload))
  }
  listSubscriptions(payload: Wire<typeof ListSubscriptions>) {
    return toObject(this.env, ListSubscriptions, payload, (object) => object.listSubscriptions(payload))
  }
  forget(payload: Wire<typeof Forget>) {
    return toObject(this.env, Forget, payload, (object) => object.forget(payload))
  }
}

/** What the cron worker may do: look, and wake. */
export class CronEntrypoint extends WorkerEntrypoint<CoreEnv> {
  wake(payload: Wire<typeof Wake>) {
    return toObject(this.env, Wake, payload, (object) => object.wake(payload))
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
  exportTokens(payload: Wire<typeof ExportTokens>) {
    return toObject(this.env, ExportTokens, payload, (object) => object.exportTokens(payload))
  }
  validateTokens(payload: Wire<typeof ValidateTokens>) {
    return toObject(this.env, ValidateTokens, payload, (object) => object.validateTokens(payload))
  }
  removeToken(payload: Wire<typeof RemoveToken>) {
    return toObject(this.env, RemoveToken, payload, (object) => object.removeToken(payload))
  }
  getStatus(payload: Wire<typeof GetStatus>) {
    return toObject(this.env, GetStatus, payload, (object) => object.getStatus(payload))
  }
}

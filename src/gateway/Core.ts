import { Context, Layer } from "effect"
import type { UserId } from "../domain/user.ts"
import { call } from "../rpc/call.ts"
import {
  Forget,
  GetStatus,
  ListSubscriptions,
  PollNow,
  type PollProgress,
  RemoveToken,
  SetToken,
  ValidateTokens,
} from "../rpc/methods.ts"
import { ConfirmPushes, TakePush } from "../rpc/push.ts"
import type { GatewayEnv } from "./env.ts"
import type { KeepAlive } from "./Invocation.ts"

const make = (core: GatewayEnv["CORE"]) => ({
  setToken: call(SetToken, (wire) => core.setToken(wire)),
  removeToken: call(RemoveToken, (wire) => core.removeToken(wire)),
  validateTokens: call(ValidateTokens, (wire) => core.validateTokens(wire)),
  getStatus: call(GetStatus, (wire) => core.getStatus(wire)),
  listSubscriptions: call(ListSubscriptions, (wire) => core.listSubscriptions(wire)),
  forget: call(Forget, (wire) => core.forget(wire)),
  confirmPushes: call(ConfirmPushes, (wire) => core.confirmPushes(wire)),
  takePush: call(TakePush, (wire) => core.takePush(wire)),
  /**
   * Polls, and lets the poll run to its end even when the request that asked for it is over: `keepAlive` is told of it.
   * `onProgress` is called by the object after each source; it must not throw.
   */
  pollNow: (userId: UserId, keepAlive: KeepAlive, onProgress?: (progress: PollProgress) => void) =>
    call(PollNow, (wire) => {
      const polled = core.pollNow(wire, onProgress)
      keepAlive(polled)
      return polled
    })({ userId }),
})

/** The core worker as the gateway may use it: the methods of its `GatewayEntrypoint`, with typed errors. */
export class Core extends Context.Service<Core, ReturnType<typeof make>>()("pollen/gateway/Core") {
  static readonly layer = (core: GatewayEnv["CORE"]): Layer.Layer<Core> => Layer.succeed(Core, make(core))
}

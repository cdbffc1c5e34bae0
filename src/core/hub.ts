import { Effect } from "effect"
import { hubOf } from "../domain/hub.ts"
import { Settings } from "../object/Settings.ts"
import { call } from "../rpc/call.ts"
import { ConfirmPushes, TakePush } from "../rpc/push.ts"
import type { CoreEnv } from "./env.ts"

const unbound = () => Promise.reject(new Error("No hubs are bound"))

/** The hub that looks after a channel. */
export const hubFor = (env: CoreEnv, sourceId: string) =>
  Effect.map(Settings, ({ hubs }) => {
    const { HUBS } = env
    const hub = () => HUBS?.get(HUBS.idFromName(hubOf("youtube", sourceId, hubs)))
    return {
      confirmPushes: call(ConfirmPushes, (wire) => hub()?.confirmPushes(wire) ?? unbound()),
      takePush: call(TakePush, (wire) => hub()?.takePush(wire) ?? unbound()),
    }
  }).pipe(Effect.provide(Settings.layer(env)))

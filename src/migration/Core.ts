import { Context, Effect, Layer, Schema } from "effect"
import { call } from "../rpc/call.ts"
import type { CommonError } from "../rpc/contract.ts"
import { EndPauses, ExportTokens, Redeliver, ValidateTokens } from "../rpc/methods.ts"
import { DiscardCopies, FingerprintTokens, HandBack, ImportTokens, SetMirror, TakeOver } from "../rpc/move.ts"
import type { MigrationEnv } from "./env.ts"

/** How long a page waits for one object: several times as long as a refresh under way and a delivery take. */
const timeLimit = "45 seconds"

/** The object did not answer within {@link timeLimit}. It may or may not have done what was asked. */
export class ObjectTimedOut extends Schema.TaggedError<ObjectTimedOut>()("ObjectTimedOut", { method: Schema.String }) {
  override get message(): string {
    return `${this.method}: the object did not answer within ${timeLimit}`
  }
}

const bounded =
  <P, A, E>(method: string, invoke: (payload: P) => Effect.Effect<A, E | CommonError>) =>
  (payload: P): Effect.Effect<A, E | CommonError | ObjectTimedOut> =>
    invoke(payload).pipe(
      Effect.timeoutOrElse({ duration: timeLimit, orElse: () => Effect.fail(new ObjectTimedOut({ method })) }),
    )

const make = (core: MigrationEnv["CORE"]) => ({
  importTokens: bounded(
    "importTokens",
    call(ImportTokens, (wire) => core.importTokens(wire)),
  ),
  fingerprintTokens: bounded(
    "fingerprintTokens",
    call(FingerprintTokens, (wire) => core.fingerprintTokens(wire)),
  ),
  takeOver: bounded(
    "takeOver",
    call(TakeOver, (wire) => core.takeOver(wire)),
  ),
  handBack: bounded(
    "handBack",
    call(HandBack, (wire) => core.handBack(wire)),
  ),
  setMirror: bounded(
    "setMirror",
    call(SetMirror, (wire) => core.setMirror(wire)),
  ),
  discardCopies: bounded(
    "discardCopies",
    call(DiscardCopies, (wire) => core.discardCopies(wire)),
  ),
  exportTokens: bounded(
    "exportTokens",
    call(ExportTokens, (wire) => core.exportTokens(wire)),
  ),
  endPauses: bounded(
    "endPauses",
    call(EndPauses, (wire) => core.endPauses(wire)),
  ),
  redeliver: bounded(
    "redeliver",
    call(Redeliver, (wire) => core.redeliver(wire)),
  ),
  validateTokens: bounded(
    "validateTokens",
    call(ValidateTokens, (wire) => core.validateTokens(wire)),
  ),
})

/** The methods of core's `MigrationEntrypoint`, with typed errors: all that the migrator may do with people's objects. */
export class Core extends Context.Service<Core, ReturnType<typeof make>>()("pollen/migration/Core") {
  static readonly layer = (core: MigrationEnv["CORE"]): Layer.Layer<Core> => Layer.succeed(Core, make(core))
}

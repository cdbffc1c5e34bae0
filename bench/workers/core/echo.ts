import { Schema } from "effect"
import { EpochMillis } from "../../../src/domain/token.ts"
import { UserId } from "../../../src/domain/user.ts"
import { contract } from "../../../src/rpc/contract.ts"

/** The same trivial work by pollen's way and by the bare one: what is measured is the way. */
export const Echo = contract("echo", {
  payload: Schema.Struct({ userId: UserId, text: Schema.String, at: EpochMillis }),
  success: Schema.Struct({ userId: Schema.String, text: Schema.String, at: EpochMillis }),
  error: Schema.Never,
  idempotent: true,
})

/** The payload and the answer of the bare method. */
export interface PlainEcho {
  readonly userId: string
  readonly text: string
  readonly at: number
}

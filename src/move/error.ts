import { Schema } from "effect"
import { Provider } from "../domain/provider.ts"

/** The row says that the person's own object holds the account: D1 neither reads nor refreshes it, and the object is to be asked. */
export class HeldByObject extends Schema.TaggedError<HeldByObject>()("HeldByObject", {
  provider: Provider,
  /** Since which epoch, as far as D1 knows. */
  epoch: Schema.Int,
}) {
  override get message(): string {
    return `The ${this.provider} account is held by the person's object since epoch ${this.epoch}`
  }
}

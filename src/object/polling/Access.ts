import { Context, Effect, Layer } from "effect"
import { Grants } from "../grants/Grants.ts"

/** How sources are asked for their items: with the person's grant in their object, with the application's API key in a hub. */
export class Access extends Context.Service<Access, Pick<Grants["Service"], "withToken">>()(
  "pollen/object/polling/Access",
) {
  static readonly layer = Layer.effect(
    Access,
    Effect.map(Grants, ({ withToken }) => ({ withToken })),
  )
}

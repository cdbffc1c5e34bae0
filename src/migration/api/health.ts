import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"

/** Says that the worker runs; asks nothing of anybody else. */
export class Health extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("getHealth", "/health", { success: Schema.Struct({ status: Schema.Literal("ok") }) }),
) {}

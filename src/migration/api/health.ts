import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"

/** Reports that the worker runs. Calls nothing else. */
export class Health extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("getHealth", "/health", { success: Schema.Struct({ status: Schema.Literal("ok") }) }),
) {}

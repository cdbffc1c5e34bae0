import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"

export const healthLayer = HttpApiBuilder.group(Api, "health", (handlers) =>
  handlers.handle("getHealth", () => Effect.succeed({ status: "ok" as const })),
)

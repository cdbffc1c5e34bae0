import { Clock, Effect, Option } from "effect"
import { type HeldElsewhere, Misconfigured } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { TokenSet } from "../../domain/token.ts"
import type { UserId } from "../../domain/user.ts"
import { copyTokens, hasCopy } from "../../move/copies.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { giveToObject, insertGrant, readPerson } from "../../move/person.ts"
import { readSources } from "../../move/sources.ts"
import { countingWrite } from "../../move/tokenOperations.ts"
import { missingClientSettings } from "../../providers/endpoints.ts"
import type { CoreEnv } from "../env.ts"
import { importInto, personInObject } from "../object.ts"
import { databaseGrantsLayer } from "./databaseGrants.ts"
import { Forestalled, retryForestalled, routeOf } from "./route.ts"

const forestalled = () => Effect.fail(new Forestalled())

/**
 * Stores a grant where it belongs: the object first, without a query to D1 if it holds the account; else where D1's row tells.
 * docs/move.md has the table. A provider whose client is not set up is refused: no grant of it could ever be refreshed.
 */
export const setToken = Effect.fn("setToken")(function* (
  env: CoreEnv,
  {
    userId,
    provider,
    tokens: given,
  }: { readonly userId: UserId; readonly provider: Provider; readonly tokens: TokenSet },
) {
  const missing = missingClientSettings(provider, env)
  if (missing.length > 0) {
    const problem = `${missing.join(" and ")} of the core worker must be set before anybody connects ${provider}`
    return yield* new Misconfigured({ problem })
  }
  // A person who sets a grant has just authorized it, unless the caller knows better.
  const tokens = {
    ...given,
    authorizedAt: given.authorizedAt === undefined ? yield* Clock.currentTimeMillis : given.authorizedAt,
  }
  const object = personInObject(env, userId)
  const account = { userId, provider }
  const grant = { userId, provider, tokens }

  /** The object comes to hold the account, with the sources where the central poller stopped. */
  const setInObject = Effect.fnUntraced(function* (epoch: number) {
    const followed = (yield* readSources(env.DB, [userId])).get(userId) ?? []
    const sources = followed.filter((source) => source.provider === provider)
    return yield* Effect.catchTag(object.setToken({ ...grant, asOf: { epoch, sources } }), "HeldElsewhere", forestalled)
  })

  const setElsewhere = Effect.fnUntraced(
    function* (refusal: HeldElsewhere) {
      const rows = yield* readPerson(env.DB, userId)
      const route = routeOf(rows, refusal)
      if (route.side === "object") return yield* setInObject(route.epoch)
      if (route.side === "new" && route.owner === "object") {
        const given = yield* giveToObject(env.DB, account, route.epoch)
        return yield* Option.isSome(given) ? setInObject(route.epoch) : forestalled()
      }
      const database = yield* DatabaseGrants
      const write =
        route.side === "new"
          ? insertGrant(env.DB, account, tokens, route.epoch)
          : route.row.holder === "database"
            ? database.set(account, tokens, route.epoch)
            : database.take(account, tokens, { from: route.row.epoch, to: route.epoch })
      const written = yield* countingWrite(env.DB, write)
      if (Option.isNone(written)) return yield* forestalled()
      const { generation, stage } = written.value
      if (route.side === "new" && hasCopy(stage)) {
        yield* copyTokens(env.DB, importInto(env))([{ ...written.value, tokens }])
      }
      return { state: "connected" as const, generation }
    },
    Effect.provide(databaseGrantsLayer(env)),
  )

  return yield* retryForestalled("setToken", Effect.catchTag(object.setToken(grant), "HeldElsewhere", setElsewhere))
})

import { Clock, Effect, Layer, Option } from "effect"
import { type HeldElsewhere, InvalidRequest, Misconfigured, PersonForgotten } from "../../domain/error.ts"
import { findIssues } from "../../domain/givenGrant.ts"
import type { Provider } from "../../domain/provider.ts"
import { readSettings } from "../../domain/settings.ts"
import type { GivenTokens, TokenSet } from "../../domain/token.ts"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "../../move/account.ts"
import { copyTokens, hasCopy } from "../../move/copies.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { giveToObject, insertGrant, readPerson, withdrawFromObject } from "../../move/person.ts"
import { readSources } from "../../move/sources.ts"
import { countingWrite } from "../../move/tokenOperations.ts"
import { clientNames, defaultClient, endpointsConfig, settingsOf } from "../../providers/endpoints.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import { refuseGiven, tryGrant } from "../../providers/tryGrant.ts"
import type { CoreEnv } from "../env.ts"
import { importInto, personInObject } from "../object.ts"
import { clientsLayer, databaseGrantsLayer } from "./databaseGrants.ts"
import { Forestalled, type Route, retryForestalled, routeOf } from "./route.ts"

interface Wanted {
  readonly userId: UserId
  readonly provider: Provider
  readonly tokens: GivenTokens
  readonly isProbed?: boolean
}

/** Only an object that holds the account can tell whether the refresh token that is there is of the same one. */
const refuseWithout = ({ side }: Route) =>
  refuseGiven(
    "refreshToken",
    side === "new"
      ? "is missing, and there is no refresh token to keep"
      : "is missing, and the one that is there cannot be kept, since the person has not moved; ask for one with the consent",
  )

/** Tries a grant before it takes the place of one in D1. D1 keeps none beside it: while the provider is down, it is replaced untried. */
const tryInPlace = Effect.fnUntraced(function* ({ provider, state, isActive }: AccountRow, tokens: TokenSet) {
  if (state !== "connected" || !isActive) return
  const client = (yield* ProviderClients)[provider]
  yield* Effect.catchTag(tryGrant(client, tokens), "RateLimited", () => Effect.void)
})

const forestalled = () => Effect.fail(new Forestalled())

/**
 * Stores a grant where it belongs: the object first, without a query to D1 if it holds the account; else where D1's row tells.
 * docs/move.md has the table. A provider whose client is not set up is refused: no grant of it could ever be refreshed.
 */
export const setToken = Effect.fn("setToken")(function* (
  env: CoreEnv,
  { userId, provider, tokens: given, isProbed = true }: Wanted,
) {
  const clients = clientNames((yield* readSettings(endpointsConfig, env))[provider])
  const isDefault = (given.client ?? defaultClient) === defaultClient
  if (isDefault && !clients.includes(defaultClient)) {
    const problem = `${settingsOf(provider, null)} of the core worker must be set before anybody connects ${provider}`
    return yield* new Misconfigured({ problem })
  }
  const now = yield* Clock.currentTimeMillis
  const issues = findIssues(provider, given, { now, clients })
  if (issues.length > 0) return yield* new InvalidRequest({ method: "setToken", issues })
  // A person who sets a grant has just authorized it, unless the caller knows better.
  const dated = {
    ...given,
    authorizedAt: given.authorizedAt === undefined ? now : given.authorizedAt,
    client: isDefault ? null : (given.client ?? null),
  }
  const object = personInObject(env, userId)
  const account = { userId, provider }
  const grant = { userId, provider, tokens: dated, isProbed }

  /** The object comes to hold the account, with the sources where the legacy poller stopped. */
  const setInObject = Effect.fnUntraced(function* (epoch: number) {
    const followed = (yield* readSources(env.DB, [userId])).get(userId) ?? []
    const sources = followed.filter((source) => source.provider === provider)
    return yield* Effect.catchTag(object.setToken({ ...grant, asOf: { epoch, sources } }), "HeldElsewhere", forestalled)
  })

  /** Whether the person had been erased when this call began: if they are erased while it is under way, it must not bring them back. */
  let wasForgotten: boolean | undefined

  const setElsewhere = Effect.fnUntraced(
    function* (refusal: HeldElsewhere) {
      const isForgotten = refusal.isForgotten === true
      wasForgotten ??= isForgotten
      if (isForgotten && !wasForgotten) return yield* new PersonForgotten({ method: "setToken" })
      const rows = yield* readPerson(env.DB, userId)
      const route = routeOf(rows, refusal)
      const { refreshToken } = dated
      if (refreshToken === undefined) return yield* refuseWithout(route)
      const tokens = { ...dated, refreshToken }
      if (route.side === "object") return yield* setInObject(route.epoch)
      if (route.side === "new" && route.owner === "object") {
        const given = yield* giveToObject(env.DB, account, route.epoch)
        if (Option.isNone(given)) return yield* forestalled()
        return yield* Effect.tapErrorTag(setInObject(route.epoch), "PersonForgotten", () =>
          withdrawFromObject(env.DB, account, route.epoch),
        )
      }
      if (route.side === "database" && isProbed) yield* tryInPlace(route.row, tokens)
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
    Effect.provide(Layer.merge(databaseGrantsLayer(env), clientsLayer(env))),
  )

  return yield* retryForestalled("setToken", Effect.catchTag(object.setToken(grant), "HeldElsewhere", setElsewhere))
})

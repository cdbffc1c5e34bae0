import { Effect, Option } from "effect"
import type { HeldElsewhere } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { clearStored, readPerson, takeRemoved } from "../../move/person.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"
import { databaseGrantsLayer } from "./databaseGrants.ts"
import { Forestalled, retryForestalled, routeOf } from "./route.ts"

const forestalled = () => Effect.fail(new Forestalled())

/** Forgets a grant wherever it is: at its holder first, then what the other side has of it. */
export const removeToken = Effect.fn("removeToken")(function* (
  env: CoreEnv,
  { userId, provider }: { readonly userId: UserId; readonly provider: Provider },
) {
  const object = personInObject(env, userId)
  const account = { userId, provider }

  /** At the object, and then out of D1's mirror. */
  const removeInObject = Effect.fnUntraced(function* (epoch?: number) {
    const removed = yield* object.removeToken({ ...account, ...(epoch === undefined ? {} : { epoch }) })
    yield* clearStored(env.DB, account)
    return removed
  })

  const removeInDatabase = Effect.fnUntraced(
    function* (epoch: number, from: number | null) {
      const database = yield* DatabaseGrants
      if (from === null) return yield* database.remove(account, epoch)
      return Option.isSome(yield* takeRemoved(env.DB, account, { from, to: epoch }))
    },
    Effect.provide(databaseGrantsLayer(env)),
  )

  const removeElsewhere = Effect.fnUntraced(function* (refusal: HeldElsewhere) {
    const route = routeOf(yield* readPerson(env.DB, userId), refusal)
    if (route.side === "new") return { removed: false }
    if (route.side === "object") {
      return yield* Effect.catchTag(removeInObject(route.epoch), "HeldElsewhere", forestalled)
    }
    const { holder, epoch, state } = route.row
    const removed = yield* removeInDatabase(route.epoch, holder === "object" ? epoch : null)
    if (!removed && (holder === "object" || state !== "disconnected")) return yield* forestalled()
    // Without a lease none is lost.
    if (refusal.hasCopy) yield* Effect.catchTag(object.discardCopies(account), "LeaseLost", Effect.die)
    return { removed }
  })

  return yield* retryForestalled("removeToken", Effect.catchTag(removeInObject(), "HeldElsewhere", removeElsewhere))
})

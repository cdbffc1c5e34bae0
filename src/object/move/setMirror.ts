import { eq } from "drizzle-orm"
import { Effect } from "effect"
import { outbox, person } from "../../../schema/object.ts"
import { askDatabase } from "../../domain/database.ts"
import { DatabaseUnavailable } from "../../domain/error.ts"
import { providers } from "../../domain/provider.ts"
import { openMirrored } from "../delivery/mirror.ts"
import { FeedDatabase, Outbox } from "../delivery/Outbox.ts"
import { enqueueMirror } from "../grants/changes.ts"
import { eachThatOpens } from "../grants/eachThatOpens.ts"
import { ensurePerson, rearm } from "../person.ts"
import { Store } from "../Store.ts"
import { underLease } from "./lease.ts"

/** How often the mirror is written and read back: a refresh in between makes it old. */
const attemptsAtMost = 3

const readBack = `SELECT provider, epoch, access_token AS accessToken, refresh_token AS refreshToken, expires_at AS expiresAt, scope,
    authorized_at AS authorizedAt, client
  FROM user_accounts WHERE user_id = ?1 AND holder = 'object'`

const notMirrored = () =>
  new DatabaseUnavailable({ operation: "setMirror", reason: "D1 does not have what the object holds; ask again" })

/** Reads the mirror back: that D1 took a statement does not prove what it has. */
const hasMirror = Effect.fnUntraced(function* () {
  const { userId } = yield* Store
  const database = yield* FeedDatabase
  const { opened } = yield* eachThatOpens(providers, (provider) => openMirrored([provider]))
  const { results } = yield* askDatabase("setMirror", () => database.prepare(readBack).bind(userId).all())
  return opened.every((grant) =>
    results.some((row) => Object.entries(grant).every(([column, value]) => (row[column] ?? null) === value)),
  )
})

const mirrorAll = Effect.fnUntraced(function* () {
  const store = yield* Store
  const { deliver } = yield* Outbox
  yield* store.transaction(() => {
    for (const provider of providers) enqueueMirror(store.db, provider)
  })
  yield* deliver
  if (!(yield* hasMirror())) return yield* notMirrored()
})

/** Starts or stops the mirror. After a start it returns once D1 has every grant that this object holds and opens. */
export const setMirror = Effect.fn("setMirror")(function* (
  { isMirrored }: { readonly isMirrored: boolean },
  lease: number | undefined,
) {
  const store = yield* Store
  const { db } = store
  const { rows } = store
  const hasAccounts = rows("SELECT 1 FROM accounts LIMIT 1").length > 0
  yield* ensurePerson("setMirror", hasAccounts ? [] : providers.map((provider) => ({ provider })))
  yield* underLease("setMirror", lease, () => db.update(person).set({ isMirrored }).run())
  if (isMirrored) yield* Effect.ensuring(Effect.retry(mirrorAll(), { times: attemptsAtMost - 1 }), rearm)
  else {
    const { deliver, withoutDeliveries } = yield* Outbox
    // Waits for a delivery under way: nothing is written to the mirror after the answer, and no id comes again that it is about to delete.
    yield* withoutDeliveries(Effect.sync(() => db.delete(outbox).where(eq(outbox.kind, "mirror")).run()))
    yield* deliver
  }
  yield* store.durable
  return { isMirrored }
})

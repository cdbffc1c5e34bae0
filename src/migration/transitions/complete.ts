import { Effect } from "effect"
import { newFingerprintKey } from "../../domain/fingerprint.ts"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { type AccountRow, isDisconnected } from "../person/accounts.ts"
import { leasedBy } from "../person/lease.ts"
import { markVerifying } from "../person/markVerifying.ts"
import { PageSettings } from "../person/PageSettings.ts"
import {
  forEachPerson,
  latest,
  type Person,
  type PersonInMove,
  succeeded,
  toStepResults,
} from "../person/PersonInMove.ts"
import { failed, Overtaken, type StepFailed, toStepFailed } from "../person/reason.ts"

const clear = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL,
    generation = user_accounts.generation + 1
  FROM json_each(?1) cleared
  WHERE user_id = cleared.value->>'userId' AND provider = cleared.value->>'provider' AND holder = 'object'
    AND user_accounts.epoch = cleared.value->>'epoch' AND user_accounts.generation = cleared.value->>'generation'
    AND ${leasedBy(2)}
  RETURNING user_id AS userId, provider`

/** Returns a failure unless the object holds an account, opens its grant and, unless the person has to connect again, uses it. */
const checkAccount = (
  row: AccountRow,
  mayExpire: boolean,
  told:
    | {
        readonly isHolder: boolean
        readonly fingerprint: string | null
        readonly reason: string | null
        readonly use: string
      }
    | undefined,
): StepFailed | null => {
  const isReauthorization = row.state === "reauthorization_required"
  if (told === undefined) return isReauthorization ? null : failed("not_held_by_object", row.provider)
  if (!told.isHolder) return failed("not_held_by_object", row.provider)
  if (told.fingerprint === null) return failed("seal_broken", told.reason ?? row.provider)
  if (isReauthorization || told.use === "works" || (mayExpire && told.use === "expired")) return null
  const detail = `${row.provider}: ${told.reason ?? told.use}`
  return failed(told.use === "refused" ? "grant_refused" : "grant_not_tried", detail)
}

/**
 * Fails unless the object holds, opens and uses every grant of a person. `mayRefresh`: the object refreshes an expired token in order to
 * use it. Otherwise an expired token passes: it says nothing about the grant.
 */
export const checkHeld = Effect.fn("checkHeld")(function* (
  { userId, accounts }: Person,
  { mayRefresh }: { readonly mayRefresh: boolean },
) {
  const core = yield* Core
  if (accounts.some(({ holder }) => holder === "database")) {
    return yield* failed("not_held_by_object", "D1 holds one of the accounts")
  }
  const toCheck = accounts.filter((account) => !isDisconnected(account))
  if (toCheck.length === 0) return
  const look = Effect.mapError(core.fingerprintTokens({ userId, key: newFingerprintKey(), probe: true }), toStepFailed)
  let { accounts: told } = yield* look
  if (mayRefresh && told.some(({ use }) => use === "expired")) {
    yield* Effect.mapError(core.validateTokens({ userId }), toStepFailed)
    told = (yield* look).accounts
  }
  for (const row of toCheck) {
    const account = told.find(({ provider }) => provider === row.provider)
    const problem = checkAccount(row, !mayRefresh, account)
    if (problem !== null) return yield* problem
  }
})

/** `rampdown` to `complete`: clears the grants in D1, the last in plain text, after the object has opened and used each of them. */
export const complete = Effect.fn("complete")(function* (people: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  yield* markVerifying(people)
  const checked = yield* forEachPerson(people, (personInMove) => checkHeld(personInMove, { mayRefresh: true }))
  const toClear = succeeded(people, checked)
  const rows = toClear.flatMap(({ accounts }) =>
    accounts.map(({ userId, provider, epoch, generation }) => ({ userId, provider, epoch, generation })),
  )
  const cleared = new Set<string>()
  for (const text of jsonTexts(rows)) {
    for (const row of yield* database.rows("clear", statement(clear, text, lease))) {
      cleared.add(`${row["provider"]} ${row["userId"]}`)
    }
  }
  const settled = yield* forEachPerson(toClear, ({ userId, accounts }) =>
    accounts.every(({ provider }) => cleared.has(`${provider} ${userId}`)) ? Effect.void : Effect.fail(new Overtaken()),
  )
  return toStepResults(people, latest<unknown>(checked, settled), () => ({ isVerified: true }))
})

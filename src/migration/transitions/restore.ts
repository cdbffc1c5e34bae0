import { Effect, Result } from "effect"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import { toStored } from "../../move/account.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { isDisconnected } from "../person/accounts.ts"
import { leasedBy } from "../person/lease.ts"
import { markVerifying } from "../person/markVerifying.ts"
import { PageSettings } from "../person/PageSettings.ts"
import {
  forEachPerson,
  latest,
  type Outcomes,
  type PersonInMove,
  succeeded,
  toStepResults,
} from "../person/PersonInMove.ts"
import { toStepFailed } from "../person/reason.ts"
import { compareMirrors } from "./mirror.ts"

/** How often a grant is written: a refresh between export and comparison makes the written one old. */
const writesAtMost = 2

const write = `UPDATE user_accounts SET access_token = given.value->>'accessToken', refresh_token = given.value->>'refreshToken',
    expires_at = given.value->>'expiresAt', scope = given.value->>'scope',
    authorized_at = given.value->>'authorizedAt', client = given.value->>'client', generation = generation + 1
  FROM json_each(?1) given
  WHERE user_id = given.value->>'userId' AND provider = given.value->>'provider' AND holder = 'object'
    AND user_accounts.epoch = given.value->>'epoch' AND ${leasedBy(2)}`

const exportOne = Effect.fn("exportOne")(function* ({ userId, accounts }: PersonInMove) {
  const core = yield* Core
  const held = accounts.filter((account) => account.holder === "object" && !isDisconnected(account))
  if (held.length === 0) return []
  const exported = yield* Effect.mapError(core.exportTokens({ userId }), toStepFailed)
  return held.flatMap(({ provider, epoch }) => {
    const account = exported.accounts.find((one) => one.provider === provider)
    return account === undefined ? [] : [{ userId, provider, epoch, ...toStored(account.tokens) }]
  })
})

/** `complete` to `rampdown`: writes the current grants to D1 again. The object still holds them. */
export const restore = Effect.fn("restore")(function* (people: ReadonlyArray<PersonInMove>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  let outcomes: Outcomes<unknown> = new Map()
  let left = people
  for (let round = 0; round < writesAtMost && left.length > 0; round++) {
    const exported = yield* forEachPerson(left, exportOne)
    const rows = [...exported.values()].flatMap((outcome) => (Result.isSuccess(outcome) ? outcome.success : []))
    for (const text of jsonTexts(rows)) yield* database.rows("restore", statement(write, text, lease))
    const written = succeeded(left, exported)
    if (round === 0) yield* markVerifying(written)
    const compared = yield* compareMirrors(written)
    outcomes = latest<unknown>(outcomes, exported, compared)
    const done = new Set(succeeded(written, compared))
    left = written.filter((person) => !done.has(person))
  }
  return toStepResults(people, outcomes, () => ({ isVerified: true }))
})

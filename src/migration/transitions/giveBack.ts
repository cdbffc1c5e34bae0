import { Clock, Effect, Option, Result } from "effect"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import type { GrantPast } from "../../domain/refusal.ts"
import type { TokenSet } from "../../domain/token.ts"
import { toStored } from "../../move/account.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { type AccountRow, providerOf, readAccounts, withTokens } from "../person/accounts.ts"
import { compareWithObject } from "../person/compareWithObject.ts"
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
import { failed, Overtaken, toStepFailed } from "../person/reason.ts"

// D1 becomes the holder as of the epoch at which the object gave up, and takes the tokens that the object gave, if any.
const switchBack = `UPDATE user_accounts SET holder = 'database', epoch = back.value->>'epoch', generation = generation + 1,
    access_token = iif(back.value->>'isGiven', back.value->>'accessToken', access_token),
    refresh_token = iif(back.value->>'isGiven', back.value->>'refreshToken', refresh_token),
    expires_at = iif(back.value->>'isGiven', back.value->>'expiresAt', expires_at),
    scope = iif(back.value->>'isGiven', back.value->>'scope', scope),
    authorized_at = iif(back.value->>'isGiven', back.value->>'authorizedAt', authorized_at),
    client = iif(back.value->>'isGiven', back.value->>'client', client),
    state = coalesce(back.value->>'state', user_accounts.state),
    refusals = iif(back.value->>'isGiven', back.value->>'refusals', refusals),
    refresh_retry_at = iif(back.value->>'isGiven', back.value->>'retryAt', refresh_retry_at),
    is_active = iif(back.value->>'state' IS NULL, is_active, back.value->>'state' <> 'disconnected'),
    refresh_claim = NULL, refresh_claimed_until = NULL, fenced_until = NULL, updated_at = ?2
  FROM json_each(?1) back
  WHERE user_id = back.value->>'userId' AND provider = back.value->>'provider' AND holder = 'object'
    AND user_accounts.epoch = back.value->>'fromEpoch' AND ${leasedBy(3)}
  RETURNING user_id AS userId, provider, generation`

/** A row of D1 after the hand-over back. */
interface Back {
  readonly userId: string
  readonly provider: string
  readonly fromEpoch: number
  readonly epoch: number
  /** Whether the object gave its tokens, or said that it has none any more. */
  readonly isGiven: boolean
  readonly state: string | null
  readonly tokens: TokenSet | null
  readonly past: typeof GrantPast.Type
}

const nothing = {
  accessToken: null,
  refreshToken: null,
  expiresAt: null,
  scope: null,
  authorizedAt: null,
  client: null,
}

const toRow = ({ tokens, past, ...back }: Back) => ({
  ...back,
  ...past,
  ...(tokens === null ? nothing : toStored(tokens)),
})

const isHeldByObject = ({ holder }: AccountRow): boolean => holder === "object"

/**
 * Asks the object to give up what it holds, as of the epoch after D1's. It does so durably before it answers. A grant that does not open
 * stays there, and keeps none of the others back.
 */
const askBack = Effect.fn("askBack")(function* ({ userId, accounts, lease }: PersonInMove) {
  const core = yield* Core
  const held = accounts.filter(isHeldByObject)
  const known = held.flatMap((account) =>
    Option.toArray(providerOf(account)).map((provider) => ({ provider, epoch: account.epoch + 1 })),
  )
  const given =
    known.length === 0
      ? []
      : (yield* Effect.mapError(core.handBack({ userId, lease, accounts: known }), toStepFailed)).accounts
  if (given.some(({ outcome }) => outcome === "superseded")) return yield* new Overtaken()
  const broken = given.filter(({ outcome }) => outcome === "broken").map(({ provider }): string => provider)
  const toTake = held.filter(({ provider }) => !broken.includes(provider))
  const backs = toTake.map((account): Back => {
    const answer = given.find(({ provider }) => provider === account.provider)
    const isGiven = answer?.outcome === "handed_back"
    return {
      userId,
      provider: account.provider,
      fromEpoch: account.epoch,
      epoch: account.epoch + 1,
      isGiven,
      state: isGiven ? answer.state : null,
      tokens: isGiven ? answer.tokens : null,
      past: answer?.past ?? { refusals: 0, retryAt: null },
    }
  })
  return { backs, broken }
})

const keyOf = (userId: string, provider: string) => `${provider} ${userId}`

/** Writes the grants that came back, and returns the generations of the rows that were written. */
const takeBack = Effect.fn("takeBack")(function* (backs: ReadonlyArray<Back>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const now = yield* Clock.currentTimeMillis
  const written = new Map<string, number>()
  for (const text of jsonTexts(backs.map(toRow))) {
    for (const row of yield* database.rows("switch back", statement(switchBack, text, now, lease))) {
      written.set(keyOf(String(row["userId"]), String(row["provider"])), Number(row["generation"]))
    }
  }
  return written
})

/**
 * Compares D1's grants with the copies that the object still keeps. D1's side may refresh from the moment of the switch; a row that it has
 * refreshed is newer than any copy and is not compared.
 */
const compareOne = Effect.fn("compareOne")(function* (
  { userId, accounts }: PersonInMove,
  written: ReadonlyMap<string, number>,
) {
  const isAsWritten = ({ provider, generation }: AccountRow) => written.get(keyOf(userId, provider)) === generation
  const toCompare = accounts
    .filter(isAsWritten)
    .map(withTokens)
    .filter(({ tokens }) => tokens !== null)
  if (toCompare.length === 0) return
  for (const { stored, differences } of yield* compareWithObject(userId, toCompare, { probe: false })) {
    if (differences.has("holder")) return yield* failed("held_by_object", `${stored.provider}, which it had given back`)
    if (differences.has("tokens")) return yield* failed("not_the_same", stored.provider)
  }
})

/**
 * Hands back, of people who should hold nothing in their objects, what these hold all the same. Returns those outcomes, and the people
 * whose objects hold nothing now.
 */
export const giveBackHeld = Effect.fn("giveBackHeld")(function* (people: ReadonlyArray<PersonInMove>) {
  const holding = people.filter(({ accounts }) => accounts.some(isHeldByObject))
  const given: Outcomes<unknown> = holding.length === 0 ? new Map() : yield* giveBack(holding)
  const back = new Set(succeeded(holding, given))
  return { given, freed: people.filter((person) => !holding.includes(person) || back.has(person)) }
})

/** `live` to `shadow`: hands the grants back to D1. Grants that an earlier attempt has handed back are only compared. */
export const giveBack = Effect.fn("giveBack")(function* (people: ReadonlyArray<PersonInMove>) {
  const asked = yield* forEachPerson(people, askBack)
  const answered = succeeded(people, asked)
  const backs = [...asked.values()].flatMap((outcome) => (Result.isSuccess(outcome) ? outcome.success.backs : []))
  const written = yield* takeBack(backs)
  yield* markVerifying(answered)
  const rows = yield* readAccounts(answered.map(({ userId }) => userId))
  const after = answered.map(
    (person): PersonInMove => ({
      ...person,
      accounts: (rows.get(person.userId) ?? []).filter((row) => row !== null),
    }),
  )
  const brokenOf = (userId: string) => {
    const outcome = asked.get(userId)
    return outcome !== undefined && Result.isSuccess(outcome) ? outcome.success.broken : []
  }
  const compared = yield* forEachPerson(
    after,
    (personInMove): Effect.Effect<void, Effect.Error<ReturnType<typeof compareOne>> | Overtaken, Core> => {
      const broken = brokenOf(personInMove.userId)
      const isLeft = personInMove.accounts.some(
        (account) => isHeldByObject(account) && !broken.includes(account.provider),
      )
      if (isLeft) return Effect.fail(new Overtaken())
      return Effect.andThen(
        compareOne(personInMove, written),
        broken.length === 0 ? Effect.void : failed("seal_broken", broken.join(", ")),
      )
    },
  )
  const outcomes = latest<unknown>(asked, compared)
  return toStepResults(people, outcomes, () => ({ isVerified: true, durableObjectId: null }))
})

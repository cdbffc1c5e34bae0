import { Clock, Effect, Option, Redacted, Result } from "effect"
import { InvalidRequest } from "../../domain/error.ts"
import type { TokenSet } from "../../domain/token.ts"
import type { Export, Exported } from "../api/people.ts"
import { Core } from "../Core.ts"
import { storedGrant } from "../person/accounts.ts"
import { forEachPerson, type Person } from "../person/PersonInMove.ts"
import { failed, StepFailed, toStepFailed } from "../person/reason.ts"
import { type Encrypt, encryptTo } from "./encrypt.ts"
import { readPage } from "./readPage.ts"

/** An exported account in plain text. It must go nowhere but into the encryption. */
const toPlain = (provider: string, state: string, holder: string, tokens: TokenSet) => ({
  provider,
  state,
  holder,
  accessToken: Redacted.value(tokens.accessToken),
  refreshToken: Redacted.value(tokens.refreshToken),
  expiresAt: tokens.expiresAt,
  scope: tokens.scope,
  authorizedAt: tokens.authorizedAt ?? null,
  client: tokens.client ?? null,
})

/** Collects the newest tokens of a person from the side that holds each account. */
const collect = Effect.fn("collect")(function* ({ userId, accounts }: Person) {
  const core = yield* Core
  const inDatabase = accounts.filter(({ holder }) => holder === "database")
  const stored = inDatabase.flatMap((row) =>
    Option.toArray(storedGrant(row)).map(({ provider, state, tokens }) => toPlain(provider, state, "database", tokens)),
  )
  const isInObject = accounts.some(({ holder }) => holder === "object")
  if (!isInObject) return { grants: stored, broken: [] }
  const exporting = core.exportTokens({ userId }).pipe(
    // Of those that D1 holds, none is the object's to open.
    Effect.catchTag("SealBroken", (error) =>
      stored.length === 0
        ? Effect.fail(error)
        : Effect.succeed({ accounts: [], broken: [{ provider: error.provider, reason: error.message }] }),
    ),
  )
  const { accounts: exported, broken = [] } = yield* Effect.mapError(exporting, toStepFailed)
  const isHeld = ({ provider }: { readonly provider: string }) => !inDatabase.some((row) => row.provider === provider)
  const held = exported.filter(isHeld).map(({ provider, state, tokens }) => toPlain(provider, state, "object", tokens))
  return { grants: [...stored, ...held], broken: broken.filter(isHeld) }
})

const exportOne = (encrypt: Encrypt, exportedAt: number) =>
  Effect.fn("exportOne")(function* (personInMove: Person) {
    const { grants: accounts, broken } = yield* collect(personInMove)
    if (accounts.length === 0)
      return yield* failed("not_held_by_object", "neither D1 nor the object has a grant of this person")
    const jwe = yield* encrypt({ userId: personInMove.userId, exportedAt, accounts })
    return { jwe, isBroken: broken.length > 0 }
  })

/** Exports the tokens of a page of people, each person's encrypted to the operator's key. Never returns plain text. */
export const exportTokens = Effect.fn("exportTokens")(function* ({ recipient, ...asked }: Export) {
  const encrypt = yield* Effect.mapError(
    encryptTo(recipient),
    (message) => new InvalidRequest({ method: "exportTokens", issues: [{ path: "recipient", message }] }),
  )
  const { people, refused, next } = yield* readPage(asked)
  const exportedAt = yield* Clock.currentTimeMillis
  const outcomes = yield* forEachPerson(
    people.map(({ person }) => person),
    exportOne(encrypt, exportedAt),
  )
  const exported: Array<Exported["people"][number]> = []
  const missed = refused.map(({ candidate: { userId }, problem: { reason } }) => ({ userId, reason: reason as string }))
  for (const [userId, outcome] of outcomes) {
    if (Result.isSuccess(outcome)) {
      exported.push({ userId, jwe: outcome.success.jwe })
      // What opens is exported, and what does not is told all the same.
      if (outcome.success.isBroken) missed.push({ userId, reason: "seal_broken" })
    } else missed.push({ userId, reason: outcome.failure instanceof StepFailed ? outcome.failure.reason : "overtaken" })
  }
  return { people: exported, failed: missed, next } satisfies Exported
})

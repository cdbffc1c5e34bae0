import { Clock, Context, Effect, Layer, Option, Schedule, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import {
  AccountNotConnected,
  type DatabaseUnavailable,
  type HeldElsewhere,
  ObjectUnavailable,
  type ProviderUnavailable,
  type RateLimited,
  type ReauthorizationRequired,
  type SealBroken,
} from "../domain/error.ts"
import { newFingerprintKey } from "../domain/fingerprint.ts"
import { compareGrants, showGrant } from "../domain/grant.ts"
import type { Provider } from "../domain/provider.ts"
import type { Stage } from "../domain/stage.ts"
import { isUsable } from "../domain/token.ts"
import type { UserId } from "../domain/user.ts"
import type { CommonError } from "../rpc/contract.ts"
import type { AccountRow, UsableToken } from "./account.ts"
import { DatabaseGrants } from "./DatabaseGrants.ts"
import { countOperations, type OperationCount } from "./tokenOperations.ts"

/** Whose token of which account, and who says so. */
interface PersonAccount {
  readonly userId: UserId
  readonly provider: Provider
}

/** What an object answers. */
interface HeldToken extends Pick<UsableToken, "accessToken" | "expiresAt"> {}
export interface DualModeToken extends HeldToken {
  readonly source: "object" | "database" | "mirror"
}

type TokenError =
  | AccountNotConnected
  | ReauthorizationRequired
  | ProviderUnavailable
  | RateLimited
  | SealBroken
  | DatabaseUnavailable
  | CommonError

/** The object's side: `getAccessToken` of the person's own object. */
type AskObject = (
  account: PersonAccount & { readonly compareKey: string },
) => Effect.Effect<HeldToken, TokenError | HeldElsewhere>

interface DualModeOptions {
  readonly database: D1Database
  readonly askObject: AskObject
  /** Has something done that nobody waits for. */
  readonly later: (work: Effect.Effect<void>) => void
}

/**
 * Where D1 has the newest tokens of an account that the row says an object holds: at `live` it is kept a mirror, and from `shadow`
 * to `live` the object takes over what D1 had.
 */
const hasMirror = (stage: Stage): boolean => stage === "live" || stage === "shadow"

/** The account is on its way from one side to the other, and in a moment it is there: each has said that the other has it. */
class ChangingHands extends Schema.TaggedError<ChangingHands>()("ChangingHands", {}) {}

/** How often both are asked again then, and how long between, with jitter. */
const again = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))

/**
 * Access tokens of people wherever they are in the move. The object is asked first, and D1 not at all if that holds the account. Else D1
 * answers, and at `shadow` is compared with the object's copy. What D1 answers is counted there; what an object answers, in the object.
 */
export class DualModeTokenService extends Context.Service<
  DualModeTokenService,
  { readonly getAccessToken: (account: PersonAccount) => Effect.Effect<DualModeToken, TokenError> }
>()("pollen/move/DualModeTokenService") {
  static readonly layer = ({
    database,
    askObject,
    later,
  }: DualModeOptions): Layer.Layer<DualModeTokenService, never, DatabaseGrants> =>
    Layer.effect(
      DualModeTokenService,
      Effect.gen(function* () {
        const grants = yield* DatabaseGrants

        const count = Effect.fnUntraced(function* (
          operation: "read" | "compare",
          source: OperationCount["source"],
          outcome: string,
          startedAt: number,
        ) {
          const now = yield* Clock.currentTimeMillis
          const tookMs = Math.max(0, now - startedAt)
          const counts = [{ operation, source, outcome, count: 1, totalMs: tookMs, slowestMs: tookMs }]
          // A read must not fail, or wait, because it could not be counted.
          later(Effect.ignore(askDatabase("token operations", () => countOperations(database, now, counts).run())))
        })

        /** Counts how an answer of D1 ends. */
        const counting =
          (source: OperationCount["source"]) =>
          <A, E extends { readonly _tag: string }>(answer: Effect.Effect<A, E>) =>
            Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
              answer.pipe(
                Effect.tap(() => count("read", source, "ok", startedAt)),
                Effect.tapError(({ _tag }) => count("read", source, _tag, startedAt)),
              ),
            )

        /** Whether the copy that the object shows in its refusal has the tokens that D1 has. */
        const isSame = Effect.fnUntraced(function* (row: AccountRow, compareKey: string, refusal: HeldElsewhere) {
          const tokens = Option.getOrNull(yield* grants.stored(row))
          const stored = yield* showGrant(compareKey, { ...row, tokens })
          const { epoch, fingerprint } = refusal
          // A refusal does not tell the state of the copy.
          const differences = compareGrants(stored, { holder: "database", epoch, state: row.state, fingerprint })
          return !differences.has("tokens") && !differences.has("unreadable")
        })

        /** At `shadow`: compares the object's copy with what D1 has; twice where they differ, since a copy may be on its way. */
        const compare = Effect.fnUntraced(
          function* (account: PersonAccount, row: AccountRow, compareKey: string, refusal: HeldElsewhere) {
            const startedAt = yield* Clock.currentTimeMillis
            const isSameAtOnce = yield* isSame(row, compareKey, refusal)
            const isAgreed =
              isSameAtOnce ||
              (yield* askObject({ ...account, compareKey }).pipe(
                Effect.as(true),
                Effect.catchTag("HeldElsewhere", (again) => isSame(row, compareKey, again)),
              ))
            yield* count("compare", "database", isAgreed ? "agrees" : "disagrees", startedAt)
          },
          (comparison) => Effect.ignore(comparison),
        )

        /** D1's tokens of an account that an object holds, as they are, while they work. */
        const fromMirror = Effect.fnUntraced(function* <E extends TokenError | ChangingHands>(
          account: PersonAccount,
          unreachable: E,
        ) {
          const stored = yield* grants.stored(account)
          const now = yield* Clock.currentTimeMillis
          if (Option.isNone(stored) || !isUsable(stored.value, now)) return yield* Effect.fail(unreachable)
          const { accessToken, expiresAt } = stored.value
          return { accessToken, expiresAt, source: "mirror" as const }
        }, counting("mirror"))

        const held = (account: PersonAccount) =>
          grants.accessToken(account).pipe(
            Effect.map(({ accessToken, expiresAt }) => ({ accessToken, expiresAt, source: "database" as const })),
            // Given away while it was being read.
            Effect.catchTag("HeldByObject", () => Effect.fail(new ChangingHands())),
            counting("database"),
          )

        /** D1's answer, where the object has none. `unreachable` is what to say if D1 has none either. */
        const fromRow = (
          account: PersonAccount,
          row: AccountRow,
          unreachable: ObjectUnavailable | ChangingHands,
        ): Effect.Effect<DualModeToken, TokenError | ChangingHands> => {
          if (row.holder === "database") return held(account)
          return hasMirror(row.stage) ? fromMirror(account, unreachable) : Effect.fail(unreachable)
        }

        const fromDatabase = Effect.fnUntraced(function* (
          account: PersonAccount,
          compareKey: string,
          refusal: HeldElsewhere,
        ) {
          const row = Option.getOrUndefined(yield* grants.find(account))
          if (row === undefined) return yield* new AccountNotConnected({ provider: account.provider })
          if (row.holder === "database" && row.stage === "shadow") yield* compare(account, row, compareKey, refusal)
          return yield* fromRow(account, row, new ChangingHands())
        })

        const withoutObject = Effect.fnUntraced(function* (account: PersonAccount, unreachable: ObjectUnavailable) {
          const row = Option.getOrUndefined(yield* Effect.mapError(grants.find(account), () => unreachable))
          return yield* row === undefined ? Effect.fail(unreachable) : fromRow(account, row, unreachable)
        })

        const attempt = Effect.fnUntraced(function* (account: PersonAccount) {
          const compareKey = newFingerprintKey()
          return yield* askObject({ ...account, compareKey }).pipe(
            Effect.map((token): DualModeToken => ({ ...token, source: "object" })),
            Effect.catchTags({
              HeldElsewhere: (refusal) => fromDatabase(account, compareKey, refusal),
              ObjectUnavailable: (unreachable) => withoutObject(account, unreachable),
            }),
          )
        })

        return {
          getAccessToken: Effect.fn("DualModeTokenService.getAccessToken")((account) =>
            attempt(account).pipe(
              Effect.retry({ schedule: again, while: ({ _tag }) => _tag === "ChangingHands" }),
              Effect.catchTag("ChangingHands", () =>
                Effect.fail(new ObjectUnavailable({ method: "getAccessToken", retryable: true, overloaded: false })),
              ),
            ),
          ),
        }
      }),
    )
}

import { Effect, Schedule, Schema } from "effect"
import type { FaultRule } from "../simulator/model.ts"
import { Simulator } from "../stack/Simulator.ts"
import { Workers } from "./Workers.ts"

/** Refuses before anything has taken effect. */
const refuseTokenRequests: FaultRule = { match: { kind: "token" }, fault: { type: "status", status: 503 } }

/** For answers on their way to be written down. */
const settling = "500 millis"

const Claims = Schema.Tuple([Schema.Struct({ claims: Schema.Int })])
const countClaims = Effect.gen(function* () {
  const { query } = yield* Workers
  const sql = `SELECT count(*) AS claims FROM user_accounts WHERE refresh_claim IS NOT NULL AND refresh_claimed_until > ${Date.now()}`
  const [{ claims }] = yield* Effect.orDie(Schema.decodeUnknownEffect(Claims)(yield* query(sql)))
  return claims
})

const armRandom = (percent: number) =>
  Effect.flatMap(Simulator, ({ ask }) =>
    percent > 0 ? ask((client) => client.randomFaults({ rate: percent / 100 })) : Effect.void,
  )

/**
 * From now on so many percent of the providers' answers fail, by the seed. None of it takes effect at a token endpoint and is then
 * kept from the asker: an answer of that kind that nobody gets costs the grant, whoever holds it.
 */
export const armFaults = Effect.fnUntraced(function* (percent: number) {
  const { ask } = yield* Simulator
  yield* ask((client) => client.clearFaults())
  yield* armRandom(percent)
})

/**
 * From now on the token endpoints refuse everything, until what they did answer has been written down. With single-use refresh
 * tokens, an answer that a killed process never wrote down costs the grant, whoever held it, in D1 or in an object; nobody can do
 * anything about it, and it says nothing of the move. So this comes before a kill, and `armFaults` after it.
 */
export const quietTokenEndpoints = Effect.fn("quietTokenEndpoints")(function* (faultPercent: number) {
  const { ask } = yield* Simulator
  yield* ask((client) => client.clearFaults())
  // The first rule that matches a request is the one that holds for it.
  yield* ask((client) => client.setFaults([refuseTokenRequests]))
  yield* armRandom(faultPercent)
  yield* Effect.sleep(settling)
  yield* countClaims.pipe(
    Effect.repeat({ until: (claims) => claims === 0, schedule: Schedule.spaced("100 millis") }),
    Effect.timeoutOption("10 seconds"),
  )
})

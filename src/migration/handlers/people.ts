import { Context, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import { Core } from "../Core.ts"
import { Database } from "../Database.ts"
import { Flags } from "../Flags.ts"
import { exportTokens } from "../people/exportTokens.ts"
import { findPerson } from "../people/findPerson.ts"
import { endPauses, redeliver } from "../people/repairs.ts"
import { verify } from "../people/verify.ts"
import { PageSettings } from "../person/PageSettings.ts"

/** Objects that one request calls at once. */
const concurrency = 20

/** People of a list that the audit names at most. */
const listedAtMost = 20

const shown = ({ people, ...rest }: { readonly people?: ReadonlyArray<string> }) =>
  people === undefined ? rest : { ...rest, people: people.slice(0, listedAtMost), count: people.length }

export const peopleLayer = HttpApiBuilder.group(
  Api,
  "people",
  Effect.fnUntraced(function* (handlers) {
    const services = Context.make(Core, yield* Core).pipe(
      Context.add(Database, yield* Database),
      Context.add(Flags, yield* Flags),
      // These requests lease nobody.
      Context.add(PageSettings, { lease: "", concurrency, claimWaitMs: 0, onAnswer: Effect.void }),
    )
    const { act } = yield* Audit
    const working = Effect.provideContext(services)
    return handlers.handleAll({
      getPerson: ({ params: { userId } }) => answerProblems(working(findPerson(userId))),
      endPauses: ({ params: { userId }, payload }) =>
        answerProblems(act("endPauses", { userId, ...payload }, working(endPauses(userId, payload)))),
      redeliver: ({ params: { userId } }) => answerProblems(act("redeliver", { userId }, working(redeliver(userId)))),
      verify: ({ payload }) => answerProblems(act("verify", shown(payload), working(verify(payload)))),
      exportTokens: ({ payload }) => {
        const { recipient, ...asked } = payload
        const detail = { ...shown(asked), recipient: recipient.kid ?? recipient.kty }
        return answerProblems(act("exportTokens", detail, working(exportTokens(payload))))
      },
    })
  }),
)

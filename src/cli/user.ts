import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { UserId } from "../domain/user.ts"
import type { Person } from "../migration/api/people.ts"
import { formatTime } from "./format.ts"
import { readPerson } from "./operate/known.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions } from "./operate/options.ts"
import { renderTable } from "./table.ts"
import { quoted } from "./typed.ts"

const renderPosition = ({ userId, stage, target, state, ceiling, reason, obstacle }: Person): string => {
  if (stage === null) return "started in an object; no step to take"
  const words = [
    stage === target ? `at ${stage}, the target` : `at ${stage}; target ${target ?? stage}`,
    ...(state === null ? [] : [`last step: ${state}`]),
    ...(reason === null ? [] : [`reason: ${reason}`]),
    ...(obstacle === null ? [] : [`cannot be moved: ${obstacle.reason} (${obstacle.detail})`]),
    ...(ceiling === null
      ? []
      : [`kept at ${ceiling} or before by a rollback until ${quoted(`migrate clear-ceiling ${userId}`)}`]),
  ]
  return words.join("; ")
}

const renderFacts = (person: Person): string =>
  renderTable([
    ["user", person.userId],
    ["position", renderPosition(person)],
    ["bucket", `${person.bucket}: included from ${((person.bucket + 1) / 100).toFixed(2)} % on`],
    ...(person.attempts === 0
      ? []
      : [["failed attempts", `${person.attempts}; next ${formatTime(person.nextAttemptAt)}`]]),
    ["verified", formatTime(person.verifiedAt)],
    ["run", person.runId ?? "–"],
    ["object", person.durableObjectId ?? "–"],
  ])

const renderObject = ({ object }: Person["accounts"][number]): ReadonlyArray<string> => {
  if (object === null) return ["–", "–", "–"]
  const same = object.isSame === null ? "–" : object.isSame ? "same" : "DIFFERENT"
  return [`${object.isHolder ? "holds" : "copy"}, epoch ${object.epoch}`, object.reason ?? object.state, same]
}

const renderAccounts = ({ accounts }: Person): string =>
  renderTable(
    accounts.map((account) => [
      account.provider,
      account.holder,
      String(account.epoch),
      account.isActive ? account.state : `${account.state}, not active`,
      account.hasTokens ? `expires ${formatTime(account.expiresAt)}` : "none",
      ...renderObject(account),
    ]),
    ["account", "holder", "epoch", "state", "tokens in D1", "object", "object's state", "compared"],
  )

const renderHistory = ({ history }: Person): string =>
  history.length === 0
    ? "  No step taken yet."
    : renderTable(
        history.map(({ at, from, to, outcome, reason, runId }) => [
          ...[formatTime(at), `${from} → ${to}`, outcome, reason ?? "", runId ?? ""],
        ]),
        ["when", "step", "outcome", "reason", "run"],
      )

const showPerson = Effect.fn("showPerson")(function* (userId: UserId) {
  const outcome = yield* Outcome
  const person = yield* readPerson(userId)
  const words = [renderFacts(person), "", renderAccounts(person), "", renderHistory(person)]
  yield* outcome.tell(person, words.join("\n"))
})

/** `pollen user USER` */
export const userCommand = Command.make(
  "user",
  {
    ...operatorOptions,
    user: Argument.String("user").pipe(Argument.withSchema(UserId), Argument.withDescription("The user id")),
  },
  (options) => operate(options, showPerson(options.user)),
).pipe(
  Command.withDescription(
    "Show the stage and target of one person, who holds each grant, what D1 and the object have of it, and the newest 100 steps. Prints no token.",
  ),
  Command.withShortDescription("Show one person: stage, target, grants and steps"),
  Command.withExamples([
    { command: "pollen user ada", description: "State and history of ada" },
    { command: "pollen user ada --json", description: "The same for a program" },
  ]),
)

import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Provider, providers } from "../domain/provider.ts"
import { UserId } from "../domain/user.ts"
import { plural } from "./format.ts"
import { askAboutOne } from "./operate/known.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions } from "./operate/options.ts"
import { quoted } from "./typed.ts"

const user = Argument.String("user").pipe(Argument.withSchema(UserId), Argument.withDescription("The user id"))

const unknown = (userId: UserId) => `There is no person ${userId}.`

const end = Effect.fn("endPauses")(function* (userId: UserId, provider: Provider | undefined) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const payload = provider === undefined ? {} : { provider }
  const asked = ask(({ people }) => people.endPauses({ params: { userId }, payload }))
  const { ended } = yield* askAboutOne(asked, unknown(userId))
  const words =
    ended.length === 0
      ? `No pause to end: no provider has asked ${userId}'s object to wait.`
      : `Ended: ${ended.join(", ")}. What was waiting goes on now; a provider that still limits will say so again.`
  yield* outcome.tell({ ended }, words)
})

const send = Effect.fn("redeliver")(function* (userId: UserId) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const sent = yield* askAboutOne(
    ask(({ people }) => people.redeliver({ params: { userId } })),
    unknown(userId),
  )
  const { delivered, undelivered, setAside } = sent
  const left =
    setAside > 0
      ? ` D1 still refuses ${plural(setAside, "row")}: ${quoted("metrics")} counts them, and the log of the core worker says why.`
      : undelivered > 0
        ? ` Not at D1 yet, and sent again without your doing: ${plural(undelivered, "row")}.`
        : ""
  yield* outcome.tell(sent, `${plural(delivered, "item")} delivered.${left}`)
})

/** `pollen end-pauses USER` */
export const endPausesCommand = Command.make(
  "end-pauses",
  {
    ...operatorOptions,
    user,
    provider: Flag.Literals("provider", providers).pipe(
      Flag.withDescription("Only the pauses of this provider"),
      Flag.optional,
      Flag.map(Option.getOrUndefined),
    ),
  },
  (options) => operate(options, end(options.user, options.provider)),
).pipe(
  Command.withDescription(
    "End the pauses that providers asked for (Retry-After, a used-up quota) for one person, who is polled again at once. Each use is in the audit trail.",
  ),
  Command.withShortDescription("End a provider's pause for one person"),
  Command.withExamples([
    { command: "pollen end-pauses ada", description: "Whatever provider asked" },
    { command: "pollen end-pauses ada --provider spotify", description: "Spotify's pause alone" },
  ]),
)

/** `pollen redeliver USER` */
export const redeliverCommand = Command.make("redeliver", { ...operatorOptions, user }, (options) =>
  operate(options, send(options.user)),
).pipe(
  Command.withDescription(
    "Send D1 again what it refused for what it is, such as a row that breaks a constraint. The person's object has set it aside meanwhile.",
  ),
  Command.withShortDescription("Send D1 again what it refused from one person"),
  Command.withExamples([{ command: "pollen redeliver ada", description: "Once the cause is mended" }]),
)

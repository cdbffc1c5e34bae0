import { Cause, Effect, Runtime, Schema } from "effect"

/**
 * What a program that calls a command can tell from its exit code:
 *
 * - 0: done, or watched until Ctrl-C;
 * - 1: it could not be done: nobody answers, a wrong credential, a mistake of pollen's own;
 * - 2: the command line cannot be read;
 * - 3: nothing was done, because it was not confirmed or the worker refuses in the state in which things are;
 * - 4: done, but not for everybody: the figures say for how many;
 * - 130: interrupted before it was known whether it was done.
 */
const codes = { failed: 1, misused: 2, refused: 3, unfinished: 4 } as const

/** The same, for `--help`. */
export const exitCodes =
  "Exit codes: 0 done; 1 it could not be done; 2 the command line cannot be read; 3 nothing was done, because it was not confirmed or the worker refuses; 4 done, but not for everybody; 130 interrupted."

const message = { message: Schema.String }

/** The message of each of these is one sentence that says what to do, and all that is printed. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** Nobody answered, or not yet: it may be different in a moment. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** What was asked about does not exist. */
export class Missing extends Schema.TaggedError<Missing>()("Missing", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

export class Misused extends Schema.TaggedError<Misused>()("Misused", message) {
  override readonly [Runtime.errorExitCode] = codes.misused
}

export class Refused extends Schema.TaggedError<Refused>()("Refused", message) {
  override readonly [Runtime.errorExitCode] = codes.refused
}

export class Unfinished extends Schema.TaggedError<Unfinished>()("Unfinished", message) {
  override readonly [Runtime.errorExitCode] = codes.unfinished
}

/** Whatever a command may end with, besides its own mistakes. */
export type CommandError = Failed | Unreachable | Missing | Misused | Refused | Unfinished

let isWatched = false

/** From here on Ctrl-C is how a person ends what they watch, and no failure. */
export const watched = Effect.sync(() => {
  isWatched = true
})

/** 130 is what a shell says of a program that was interrupted: what it was asked for may be done, or not. */
const interruptedCode = (): number => (isWatched ? 0 : 130)

/** The exit code of a command that did not come to its own end. */
export const exitCodeOf = (cause: Cause.Cause<unknown>): number =>
  Cause.hasInterruptsOnly(cause) ? interruptedCode() : codeOf(Cause.squash(cause))

/** Whether the message is for a person and enough for them. */
export const isForPerson = (error: unknown): error is Error =>
  error instanceof Error && typeof error[Runtime.errorExitCode] === "number"

/** The exit code of an error; a command line that cannot be read shows itself as help. */
const codeOf = (error: unknown): number =>
  isTagged(error, "ShowHelp") ? codes.misused : isForPerson(error) ? (error[Runtime.errorExitCode] ?? 1) : codes.failed

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag

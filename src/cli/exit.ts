import { Cause, Effect, Runtime, Schema } from "effect"

/**
 * Exit codes, for programs that run a command:
 *
 * - 0: done, or watched until Ctrl-C;
 * - 1: failed: the worker is unreachable, the credential is wrong, the person or run does not exist, or pollen has a defect;
 * - 2: the command line, a variable that stands in for a flag, or a file named there cannot be used; nothing was sent that changes anything;
 * - 3: refused, nothing was done: it was not confirmed, or the current state does not allow it;
 * - 4: done, but not for everybody: the figures say for how many;
 * - 130: interrupted before the outcome was known.
 */
const codes = { failed: 1, misused: 2, refused: 3, unfinished: 4 } as const

/** Exit codes, for `--help`. */
export const exitCodes = `Exit codes:
  0 done
  1 failed: worker unreachable, wrong credential, unknown person or run
  2 the command line, or a file that it names, cannot be used
  3 refused: not confirmed, or the current state does not allow it
  4 done, but not for everybody
  130 interrupted before the outcome was known`

const message = { message: Schema.String }

/** The message of each error below says what to do about it, and is all that is printed. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** The worker did not answer, or asked to try again: the same command may succeed in a moment. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** The person or run that a command names does not exist. */
export class Missing extends Schema.TaggedError<Missing>()("Missing", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** The URL answers, but has nothing at the path that was asked for. */
export class WrongUrl extends Schema.TaggedError<WrongUrl>()("WrongUrl", message) {
  override readonly [Runtime.errorExitCode] = codes.failed
}

/** The command line, or a file that it names, cannot be used. */
export class Misused extends Schema.TaggedError<Misused>()("Misused", message) {
  override readonly [Runtime.errorExitCode] = codes.misused
}

export class Refused extends Schema.TaggedError<Refused>()("Refused", message) {
  override readonly [Runtime.errorExitCode] = codes.refused
}

export class Unfinished extends Schema.TaggedError<Unfinished>()("Unfinished", message) {
  override readonly [Runtime.errorExitCode] = codes.unfinished
}

/** Every error that a command may end with, except defects. */
export type CommandError = Failed | Unreachable | Missing | WrongUrl | Misused | Refused | Unfinished

let isWatched = false

/** From here on Ctrl-C ends the watching, and is no failure. */
export const watched = Effect.sync(() => {
  isWatched = true
})

/** 130 is what a shell reports of an interrupted program: the work may be done, or not. */
const interruptedCode = (): number => (isWatched ? 0 : 130)

/** The exit code of a command that did not come to its own end. */
export const exitCodeOf = (cause: Cause.Cause<unknown>): number =>
  Cause.hasInterruptsOnly(cause) ? interruptedCode() : codeOf(Cause.squash(cause))

/** Tells whether the message is all that a person needs. */
export const isForPerson = (error: unknown): error is Error =>
  error instanceof Error && typeof error[Runtime.errorExitCode] === "number"

/** The exit code of an error; the library reports a command line that cannot be read as help. */
const codeOf = (error: unknown): number =>
  isTagged(error, "ShowHelp") ? codes.misused : isForPerson(error) ? (error[Runtime.errorExitCode] ?? 1) : codes.failed

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag

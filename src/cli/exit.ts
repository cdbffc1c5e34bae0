import { Runtime, Schema } from "effect"

/**
 * What a program that calls a command can tell from its exit code:
 *
 * - 0: done, or watched until Ctrl-C;
 * - 1: it could not be done: nobody answers, a wrong credential, a mistake of pollen's own;
 * - 2: the command line cannot be read;
 * - 3: nothing was done, because it was not confirmed or the worker refuses in the state in which things are;
 * - 4: done, but not for everybody: the figures say for how many.
 */
const codes = { failed: 1, misused: 2, refused: 3, unfinished: 4 } as const

/** The same, for `--help`. */
export const exitCodes =
  "Exit codes: 0 done; 1 it could not be done; 2 the command line cannot be read; 3 nothing was done, because it was not confirmed or the worker refuses; 4 done, but not for everybody."

const message = { message: Schema.String }

/** The message of each of these is one sentence that says what to do, and all that is printed. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", message) {
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
export type Ending = Failed | Misused | Refused | Unfinished

/** Whether the message is for a person and enough for them. */
export const isForPerson = (error: unknown): error is Error =>
  error instanceof Error && typeof error[Runtime.errorExitCode] === "number"

/** The exit code of an error; a command line that cannot be read shows itself as help. */
export const exitCodeOf = (error: unknown): number =>
  isTagged(error, "ShowHelp") ? codes.misused : isForPerson(error) ? (error[Runtime.errorExitCode] ?? 1) : codes.failed

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag

import { Runtime, Schema } from "effect"

/** The command cannot go on. The message is one sentence that says what to do; it is all that is printed. */
export class CannotStart extends Schema.TaggedError<CannotStart>()("CannotStart", { message: Schema.String }) {
  override readonly [Runtime.errorExitCode] = 1
}

const codeOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return ""
  if ("code" in error && typeof error.code === "string") return error.code
  return "cause" in error ? codeOf(error.cause) : ""
}

const codes = /\b(ENOSPC|EDQUOT|EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EEXIST)\b/
/** What SQLite says of a full disk inside the workers' runtime, which has no code of the system. */
const fullDatabase = /SQLITE_FULL|SQLITE_IOERR|disk I\/O error|database or disk is full/

/** What a person can do about an error of the system that names `place`, a file or a folder; `otherwise` begins what is said of any other error. */
export const toCannotStart =
  (place: string, otherwise?: string) =>
  (error: unknown): CannotStart => {
    const said = error instanceof Error ? error.message : String(error)
    switch (fullDatabase.test(said) ? "ENOSPC" : (codes.exec(said)?.[1] ?? codeOf(error))) {
      case "ENOSPC":
      case "EDQUOT":
        return new CannotStart({ message: `The disk is full: make room for ${place} and start again.` })
      case "EACCES":
      case "EPERM":
      case "EROFS":
      case "ENOENT":
        return new CannotStart({ message: `${place} cannot be written: give yourself the right to, and start again.` })
      case "ENOTDIR":
      case "EEXIST":
        return new CannotStart({
          message: `${place} must be a folder: move away what is in its place and start again.`,
        })
      default:
        return new CannotStart({
          message:
            otherwise === undefined ? `${place} cannot be used: ${said.split("\n")[0]}` : `${otherwise}: ${said}`,
        })
    }
  }

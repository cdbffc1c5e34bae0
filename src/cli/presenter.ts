import { Console } from "effect"
import { CliOutput } from "effect/cli"

/** What the library says before the words of a schema. */
const ofTheLibrary = "Expected: Schema validation failed: "

const toSentence = (message: string): string =>
  message
    .replace(ofTheLibrary, "It ")
    .replace(
      /\s*Did you mean this\?\s*(\S.*)$/s,
      (_, names: string) => `; did you mean ${names.trim().split(/\s+/).join(", ")}?`,
    )

/**
 * Help goes to stdout as ever. A command line that cannot be read is answered with what is wrong and where the help is, on stderr,
 * instead of with the help itself: two lines that are read, and nothing on stdout for a program to stumble over.
 */
export const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const problems = event.errors.map(({ message }) => toSentence(message)).join("\n")
    return Console.error(`${problems}\n${event.commandPath.join(" ")} --help tells how it is used.`)
  },
}

import { Console, Effect } from "effect"
import { CliOutput } from "effect/cli"

/**
 * Help goes to stdout as ever. A command line that cannot be read is answered with what is wrong and where the help is, on stderr,
 * instead of with the help itself: two lines that are read, and nothing on stdout for a program to stumble over.
 */
export const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag === "InvalidInvocation") {
      const problems = event.errors.map(({ message }) => message).join("\n")
      return Console.error(`${problems}\n${event.commandPath.join(" ")} --help tells how it is used.`)
    }
    return CliOutput.defaultPresenter.present(event)
  },
}

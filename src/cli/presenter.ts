import { Console } from "effect"
import { CliOutput } from "effect/cli"
import { coloursOf } from "./colour.ts"
import { renderHelp } from "./help.ts"
import { columnsOf, wrap } from "./terminal.ts"
import { quoted, retyped } from "./typed.ts"

/** The library writes this before the words of a schema. */
const ofTheLibrary = "Expected: Schema validation failed: "

const toSentence = (message: string): string =>
  message
    .replace(ofTheLibrary, "It ")
    .replace(
      /(in command |for )"?(pollen(?: [a-z-]+)*)"?/,
      (_, before: string, path: string) => `${before}${retyped(path)}`,
    )
    .replace(
      /\s*Did you mean this\?\s*(\S.*)$/s,
      (_, names: string) => `; did you mean ${names.trim().split(/\s+/).join(", ")}?`,
    )

/** A sentence for a person on stderr: red where it has colours, and wrapped between words on a terminal. */
export const renderError = (message: string): string =>
  coloursOf(process.stderr).red(wrap(message, columnsOf(process.stderr)))

/**
 * Shows help on stdout. A command line that cannot be read is answered on stderr with what is wrong and where the help is,
 * instead of with the help itself: two lines that are read, and nothing on stdout for a program to stumble over.
 */
export const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "Version":
        return CliOutput.defaultPresenter.present(event)
      case "Help":
        return Console.log(renderHelp(event.helpDoc, columnsOf(process.stdout), coloursOf(process.stdout)))
      case "InvalidInvocation": {
        const problems = event.errors.map(({ message }) => toSentence(message)).join("\n")
        const [, ...path] = event.commandPath
        const help = wrap(`${quoted([...path, "--help"].join(" "))} explains the command.`, columnsOf(process.stderr))
        return Console.error(`${renderError(problems)}\n${help}`)
      }
    }
  },
}

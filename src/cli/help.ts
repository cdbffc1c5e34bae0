import { Option } from "effect"
import { CliOutput, type HelpDoc } from "effect/cli"
import type { Colours } from "./colour.ts"
import { pad, wrapLine } from "./terminal.ts"
import { retyped } from "./typed.ts"

/** A name, what stands for its value, and what it is. */
interface Entry {
  readonly name: string
  readonly value: string
  readonly description: string
}

const indent = "  "
/** A description starts no further to the right than this, and below a name that is longer. */
const descriptionsFrom = 26
/** Less room than this beside the names, and descriptions go below them. */
const leastBeside = 30
/** Lines of prose longer than this are hard to read. */
const widestProse = 100

const renderEntries = (
  entries: ReadonlyArray<Entry>,
  width: number,
  { green, dim }: Colours,
): ReadonlyArray<string> => {
  const left = ({ name, value }: Entry) => (value === "" ? name : `${name} ${value}`)
  const column = Math.min(descriptionsFrom, Math.max(...entries.map((entry) => left(entry).length)) + 4)
  const isBeside = width - column >= leastBeside
  return entries.flatMap((entry) => {
    const name = `${indent}${green(entry.name)}`
    const value = entry.value === "" ? [] : [dim(entry.value)]
    const painted = [name, ...value].join(" ")
    const from = isBeside ? column : 6
    const lines = wrapLine(entry.description, width - from).map((line) => `${" ".repeat(from)}${line}`)
    if (isBeside && CliOutput.displayWidth(painted) < from - 1) {
      return [`${pad(painted, from)}${lines[0]?.trimStart() ?? ""}`, ...lines.slice(1)]
    }
    const isOneLine = CliOutput.displayWidth(painted) <= width
    return [...(isOneLine ? [painted] : [name, ...value.map((text) => `${indent}${text}`)]), ...lines]
  })
}

const flagEntries = (flags: HelpDoc.HelpDoc["flags"]): ReadonlyArray<Entry> =>
  flags.map(({ name, aliases, type, description }) => ({
    name: [`--${name}`, ...aliases].join(", "),
    value: type === "boolean" ? "" : type,
    description: Option.getOrElse(description, () => ""),
  }))

const argumentEntries = ({ args = [] }: HelpDoc.HelpDoc): ReadonlyArray<Entry> =>
  args.map(({ name, variadic, required, description }) => ({
    name: variadic ? `${name}...` : name,
    value: "",
    description: `${Option.getOrElse(description, () => "")}${required ? "" : " (optional)"}`,
  }))

const commandEntries = ({ subcommands = [] }: HelpDoc.HelpDoc): ReadonlyArray<Entry> =>
  subcommands.flatMap(({ commands }) =>
    commands.map(({ name, shortDescription, description }) => ({
      name,
      value: "",
      description: shortDescription ?? description,
    })),
  )

/** Help for one command, wrapped between words at `width` cells, if that is finite; commands are written as they are typed here. */
export const renderHelp = (doc: HelpDoc.HelpDoc, width: number, colours: Colours): string => {
  const prose = Number.isFinite(width) ? Math.min(width, widestProse) : width
  const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
    lines.length === 0 ? [] : [[colours.bold(title), ...lines]]
  const entries = (title: string, found: ReadonlyArray<Entry>) =>
    section(title, found.length === 0 ? [] : renderEntries(found, prose, colours))
  const paragraphs = doc.description.split("\n").flatMap((line) => wrapLine(`${indent}${line}`, prose))
  const examples = (doc.examples ?? []).flatMap(({ command, description }) => [
    ...(description === undefined ? [] : wrapLine(`${indent}# ${description}`, prose).map(colours.dim)),
    `${indent}${colours.cyan(retyped(command))}`,
  ])
  return [
    ...section("DESCRIPTION", doc.description === "" ? [] : paragraphs.map((line) => line.trimEnd())),
    ...section("USAGE", wrapLine(`${indent}${retyped(doc.usage)}`, prose).map(colours.cyan)),
    ...entries("ARGUMENTS", argumentEntries(doc)),
    ...entries("FLAGS", flagEntries(doc.flags)),
    ...entries("GLOBAL FLAGS", flagEntries(doc.globalFlags ?? [])),
    ...entries("COMMANDS", commandEntries(doc)),
    ...section("EXAMPLES", examples),
  ]
    .map((lines) => lines.join("\n"))
    .join("\n\n")
}

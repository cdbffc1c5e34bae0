import { readFileSync } from "node:fs"

export const readme = readFileSync("README.md", "utf8")

/** A section of the README: from its heading to the next of the same level. */
export const section = (heading: string): string => {
  const from = readme.indexOf(`\n## ${heading}\n`)
  if (from === -1) throw new Error(`no section ${heading}`)
  const to = readme.indexOf("\n## ", from + 1)
  return readme.slice(from, to === -1 ? undefined : to)
}

/** The rows of all tables in a text, heads left out; cells trimmed. */
export const rowsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split("\n")
    .map((line, index, lines) => ({ line, isHead: /^\|[-| :]+\|$/.test(lines[index + 1] ?? "") }))
    .filter(({ line, isHead }) => line.startsWith("|") && !isHead && !/^\|[-| :]+\|$/.test(line))
    .map(({ line }) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

/** What stands in backticks in a text. */
export const codeOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code)

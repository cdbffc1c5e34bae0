import { globSync, readFileSync } from "node:fs"

/** Every page that people read. */
export const pages = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md").sort()]

export const readPage = (file: string): string => readFileSync(file, "utf8")

/** A section of a page: from its heading to the next heading of level two. */
export const section = (file: string, heading: string): string => {
  const text = readPage(file)
  const from = text.indexOf(`\n## ${heading}\n`)
  if (from === -1) throw new Error(`${file} has no section ${heading}`)
  const to = text.indexOf("\n## ", from + 1)
  return text.slice(from, to === -1 ? undefined : to)
}

/** A text without its blocks of code and its comments. */
export const proseOf = (text: string): string => text.replace(/```[\s\S]*?```/g, "").replace(/<!--.*?-->/g, "")

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

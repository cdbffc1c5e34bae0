import { CliOutput } from "effect/cli"

const { displayWidth } = CliOutput

/** A stream that text is shown on: stdout or stderr. */
export interface Output {
  readonly isTTY?: boolean
  /** Cells to a line; of a terminal. */
  readonly columns?: number
  /** Lines; of a terminal. */
  readonly rows?: number
  write(text: string): unknown
}

const usualColumns = 80

/** Cells to a line of a terminal; of anything else lines are as long as they like. */
export const columnsOf = ({ isTTY, columns }: Pick<Output, "isTTY" | "columns">): number =>
  isTTY === true ? columns || usualColumns : Number.POSITIVE_INFINITY

/** Cuts a text to a number of cells, with an ellipsis where something is missing. */
export const cut = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text
  let kept = ""
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (displayWidth(kept + segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** Fills a text with spaces up to a number of cells. */
export const pad = (text: string, width: number, side: "left" | "right" = "right"): string => {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)))
  return side === "right" ? `${text}${spaces}` : `${spaces}${text}`
}

/** Words of a text. A command in backticks is one word while it fits on a line, so that it can be copied. */
const wordsOf = (text: string, width: number): ReadonlyArray<string> =>
  [...text.matchAll(/[^\s`]*`[^`]+`[^\s`]*|\S+/g)].flatMap(([word]) =>
    displayWidth(word) <= width ? [word] : word.split(/\s+/),
  )

/** Breaks one line between words, where it is too wide; what follows is indented as the line is. */
export const wrapLine = (line: string, width: number): ReadonlyArray<string> => {
  if (displayWidth(line) <= width) return [line]
  const indent = /^ */.exec(line)?.[0] ?? ""
  const lines: Array<string> = []
  let current = indent
  let isEmpty = true
  for (const word of wordsOf(line, width - indent.length)) {
    if (!isEmpty && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current)
      current = indent
      isEmpty = true
    }
    current = isEmpty ? `${current}${word}` : `${current} ${word}`
    isEmpty = false
  }
  return [...lines, current]
}

/** Four spaces at the start of a line mark a command to be copied: it stays whole. */
const isVerbatim = (line: string): boolean => line.startsWith("    ")

/** Breaks every line of a text between words. Lines that begin with four spaces stay as they are. */
export const wrap = (text: string, width: number): string =>
  text
    .split("\n")
    .flatMap((line) => (isVerbatim(line) ? [line] : wrapLine(line, width)))
    .join("\n")

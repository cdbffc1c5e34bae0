import { CliOutput } from "effect/cli"
import { columnsOf, pad, wrapLine } from "./terminal.ts"

type Cell = string | number
type Row = ReadonlyArray<Cell>

const margin = "  "
const gap = "  "
/** A column that is wider may be narrowed to this, if its words are no wider. */
const narrowest = 12

const isNumber = (cell: Cell | undefined): boolean => typeof cell === "number"
const widthOf = (cell: Cell | undefined): number => CliOutput.displayWidth(String(cell ?? ""))
const widestWord = (cell: Cell | undefined): number =>
  Math.max(
    ...String(cell ?? "")
      .split(" ")
      .map(widthOf),
  )
const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, each) => total + each, 0)

/** Narrows the widest columns until the table fits; `undefined` where words would have to be broken. */
const fitColumns = (
  widths: ReadonlyArray<number>,
  least: ReadonlyArray<number>,
  available: number,
): ReadonlyArray<number> | undefined => {
  if (sum(least) > available) return undefined
  const fitted = [...widths]
  for (let excess = sum(fitted) - available; excess > 0; excess -= 1) {
    const slack = fitted.map((width, column) => (width > (least[column] ?? 0) ? width : 0))
    const widest = slack.indexOf(Math.max(...slack))
    fitted[widest] = (fitted[widest] ?? 0) - 1
  }
  return fitted
}

const renderRow = (row: Row, widths: ReadonlyArray<number>, isRight: ReadonlyArray<boolean>): ReadonlyArray<string> => {
  const cells = row.map((cell, column) => wrapLine(String(cell), widths[column] ?? 0))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, index) => {
    const line = cells.map((lines, column) =>
      pad(lines[index] ?? "", widths[column] ?? 0, isRight[column] ? "left" : "right"),
    )
    return `${margin}${line.join(gap)}`.trimEnd()
  })
}

/** Starts a cell after some text, and wraps it below its own start. */
const renderCell = (first: string, cell: Cell, width: number): ReadonlyArray<string> => {
  const [start = "", ...rest] = wrapLine(String(cell), width - widthOf(first))
  return [`${first}${start}`, ...rest.map((line) => `${pad("", widthOf(first))}${line}`)]
}

/** A row without names for its columns: on one line where it fits, and otherwise each cell below the first. */
const renderNameless = (cells: Row, width: number): ReadonlyArray<string> => {
  const line = `${margin}${cells.join(gap)}`
  if (widthOf(line) <= width) return [line]
  return cells.flatMap((cell, column) => renderCell(column === 0 ? margin : `${margin}${gap}`, cell, width))
}

/** Each row as lines of their own, for a terminal in which the columns do not fit beside each other. */
const renderRecords = (rows: ReadonlyArray<Row>, head: ReadonlyArray<string>, width: number): string => {
  if (head.length === 0) {
    return rows
      .flatMap((row) =>
        renderNameless(
          row.filter((cell) => cell !== ""),
          width,
        ),
      )
      .join("\n")
  }
  const label = Math.max(...head.map(widthOf))
  const records = rows.map((row) =>
    row.flatMap((cell, column) =>
      cell === "" ? [] : renderCell(`${margin}${pad(head[column] ?? "", label)}${gap}`, cell, width),
    ),
  )
  return records.map((lines) => lines.join("\n")).join("\n\n")
}

/**
 * Rows with their columns below each other, two spaces apart; numbers to the right. `head` names the columns.
 * In a narrow terminal cells wrap between words; where that is not enough, each row becomes a few lines.
 */
export const renderTable = (
  rows: ReadonlyArray<Row>,
  head: ReadonlyArray<string> = [],
  width: number = columnsOf(process.stdout),
): string => {
  const all: ReadonlyArray<Row> = head.length === 0 ? rows : [head, ...rows]
  const columns = (all[0] ?? []).map((_, column) => all.map((row) => row[column]))
  const natural = columns.map((cells) => Math.max(...cells.map(widthOf)))
  const least = columns.map((cells, column) =>
    Math.min(natural[column] ?? 0, Math.max(narrowest, ...cells.map(widestWord))),
  )
  const available = width - margin.length - gap.length * Math.max(0, columns.length - 1)
  const widths = fitColumns(natural, least, available)
  if (widths === undefined) return renderRecords(rows, head, width)
  const isRight = columns.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column])))
  return all.flatMap((row) => renderRow(row, widths, isRight)).join("\n")
}

type Cell = string | number

const isNumber = (cell: Cell | undefined): boolean => typeof cell === "number"

/** Rows with their columns below each other, two spaces apart; numbers to the right. `head` names the columns. */
export const renderTable = (rows: ReadonlyArray<ReadonlyArray<Cell>>, head: ReadonlyArray<string> = []): string => {
  const all = head.length === 0 ? rows : [head, ...rows]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => String(row[column] ?? "").length)))
  const isRight = widths.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column])))
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0
          return isRight[column] ? String(cell).padStart(width) : String(cell).padEnd(width)
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join("\n")
}

import { Effect } from "effect"
import type { ImportPage } from "../../migration/api/tables.ts"
import { Display } from "../Display.ts"
import { Unfinished } from "../exit.ts"
import { formatCount } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { renderRefused } from "./check.ts"
import { readMapping } from "./mapping.ts"

/** Rows of the old table that one request takes in. */
const atOnce = 500

const sum = (pages: ReadonlyArray<ImportPage>) => {
  const read = pages.reduce((total, page) => total + page.read, 0)
  const taken = pages.reduce((total, page) => total + page.taken, 0)
  const kept = pages.reduce((total, page) => total + page.kept, 0)
  // Of a page the worker tells no more than the first of them.
  return { read, taken, kept, notTaken: read - taken - kept, refused: pages.flatMap(({ refused }) => refused) }
}

/** `pollen migrate intake`: fills pollen's own table from another. What is there already is left as it is, so it may be run again. */
export const takeIn = Effect.fn("takeIn")(function* (file: string, isDry: boolean) {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const mapping = yield* readMapping(file)
  const { rows } = yield* ask(({ tables }) => tables.checkTable({ payload: { mapping, sample: 1 } }))
  const pages: Array<ImportPage> = []
  let cursor: ImportPage["next"] = null
  do {
    const page: ImportPage = yield* ask(({ tables }) =>
      tables.importRows({ payload: { mapping, isDry, limit: atOnce, ...(cursor === null ? {} : { cursor }) } }),
    )
    pages.push(page)
    cursor = page.next
    const { read } = sum(pages)
    yield* display.progress({ name: isDry ? "looking" : "taking in", done: read, total: Math.max(read, rows) })
  } while (cursor !== null)
  const result = sum(pages)
  const words = [
    `${isDry ? "Would take in" : "Took in"} ${formatCount(result.taken)} of ${formatCount(result.read)} rows; ${formatCount(result.kept)} were here already and are left as they are.`,
    ...renderRefused(result.notTaken, result.refused),
  ]
  yield* outcome.tell({ isDry, ...result }, words.join("\n"))
  if (result.notTaken > 0) {
    return yield* new Unfinished({
      message: `${formatCount(result.notTaken)} rows ${isDry ? "would not be" : "were not"} taken in.`,
    })
  }
})

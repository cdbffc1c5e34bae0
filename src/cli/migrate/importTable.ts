import { Effect } from "effect"
import type { Mapping } from "../../migration/api/mapping.ts"
import type { ImportPage } from "../../migration/api/tables.ts"
import { Display } from "../Display.ts"
import { Unfinished } from "../exit.ts"
import { formatCount } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { askToCheck, askToImport } from "./askTables.ts"
import { renderRefused } from "./check.ts"

/** Rows of the other table that one request imports. */
const atOnce = 500

const sum = (pages: ReadonlyArray<ImportPage>) => {
  const read = pages.reduce((total, page) => total + page.read, 0)
  const taken = pages.reduce((total, page) => total + page.taken, 0)
  const kept = pages.reduce((total, page) => total + page.kept, 0)
  // The worker lists only the first refused rows of a page, so they are counted by what is left.
  return { read, taken, kept, notTaken: read - taken - kept, refused: pages.flatMap(({ refused }) => refused) }
}

/** Why rows are left as they are. */
const stays = ({ what }: Mapping): string =>
  what === "follows" || what === "feed"
    ? "exist already, or are of people whose object holds the account,"
    : "exist already"

/** `pollen migrate import`: fills pollen's own tables from another. What exists stays as it is, so it can be run again. */
export const importTable = Effect.fn("importTable")(function* (
  mapping: Mapping,
  { dryRun }: { readonly dryRun: boolean },
) {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const { rows } = yield* ask((api) => askToCheck(api, mapping, { sample: 1 }))
  const pages: Array<ImportPage> = []
  let cursor: ImportPage["next"] = null
  do {
    const from = cursor === null ? {} : { cursor }
    const page: ImportPage = yield* ask((api) => askToImport(api, mapping, { isDry: dryRun, limit: atOnce, ...from }))
    pages.push(page)
    cursor = page.next
    const { read } = sum(pages)
    yield* display.progress({ name: dryRun ? "checking" : "importing", done: read, total: Math.max(read, rows) })
  } while (cursor !== null)
  const result = sum(pages)
  const words = [
    `${dryRun ? "Would import" : "Imported"} ${formatCount(result.taken)} of ${formatCount(result.read)} rows; ${formatCount(result.kept)} ${stays(mapping)} and stay as they are.`,
    ...renderRefused(result.notTaken, result.refused),
  ]
  yield* outcome.tell({ isDry: dryRun, ...result }, words.join("\n"))
  if (result.notTaken > 0) {
    return yield* new Unfinished({
      message: `${formatCount(result.notTaken)} rows ${dryRun ? "would not be" : "were not"} imported.`,
    })
  }
})

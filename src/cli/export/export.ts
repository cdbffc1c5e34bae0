import { Effect } from "effect"
import type { UserId } from "../../domain/user.ts"
import { Misused, Unfinished } from "../exit.ts"
import { resolveTyped } from "../files.ts"
import { people as count, formatCount } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { forEachPage } from "../operate/pages.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"
import { rollBack, toConcerned } from "../rollback.ts"
import { renderTable } from "../table.ts"
import { quoted } from "../typed.ts"
import { readKey, toRecipient } from "./key.ts"
import { requireFile, writeLines } from "./sealed.ts"

interface ExportOptions extends PeopleOptions {
  readonly to: string | undefined
  readonly toDatabase: boolean
  readonly keyFile: string | undefined
  readonly dryRun: boolean
  readonly yes: boolean
}

const shown = 20

/** Exports grants into a file that only the operator's key opens. The worker seals them, so none arrives here in plain text. */
const exportToFile = Effect.fnUntraced(function* (options: ExportOptions, to: string) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const named: ReadonlyArray<UserId> | undefined = yield* readPeople(options)
  const recipient = yield* toRecipient(yield* readKey(options.keyFile))
  if (options.dryRun) {
    const whom = named === undefined ? "everybody" : count(named.length)
    return yield* outcome.tell(
      { isDry: true, file: resolveTyped(to), people: named ?? null },
      `Would export the grants of ${whom} to ${resolveTyped(to)}. The key can be used. Nothing was written.`,
    )
  }
  const { file, result } = yield* writeLines(to, (write) =>
    forEachPage({
      name: "exporting",
      people: named,
      ask: (page) =>
        ask(({ people }) => people.exportTokens({ payload: { ...page, recipient } })).pipe(
          Effect.tap((exported) => write(exported.people)),
          Effect.map(({ people: done, failed, next }) => ({ exported: done.length, failed, next })),
        ),
      count: ({ exported, failed }) => exported + failed.length,
    }),
  )
  const exported = result.reduce((sum, page) => sum + page.exported, 0)
  const failed = result.flatMap((page) => page.failed)
  const rows = failed.slice(0, shown).map(({ userId, reason }) => [userId, reason])
  const words = [
    `${count(exported)} exported to ${file}; ${quoted(`open-export ${to} --to FILE`)} decrypts it with the same key, or with the private one.`,
    ...(rows.length === 0 ? [] : ["", renderTable(rows, ["user", "not exported"])]),
  ]
  yield* outcome.tell({ file, exported, failed }, words.join("\n"))
  if (failed.length > 0) {
    return yield* new Unfinished({ message: `${formatCount(failed.length)} could not be exported.` })
  }
})

/** Writes grants back into the columns of D1, which is a mirror from then on: the object keeps holding them. */
const exportToDatabase = Effect.fnUntraced(function* (options: ExportOptions) {
  const everybody = options.named.length === 0 && options.peopleFile === undefined
  const rollback = {
    ...options,
    pageSize: undefined,
    concurrency: undefined,
    patience: undefined,
    stage: undefined,
    everybody,
    includeStartedInObject: false,
    to: "live",
    watch: true,
  } as const
  yield* rollBack(rollback, yield* toConcerned(rollback))
})

/** Where an export goes: a file, or `null` for D1. */
export const requireDestination = Effect.fnUntraced(function* ({
  to,
  toDatabase,
}: Pick<ExportOptions, "to" | "toDatabase">) {
  if ((to === undefined) === !toDatabase) {
    return yield* new Misused({ message: "Give one destination: --to FILE or --to-database." })
  }
  return to === undefined ? null : yield* requireFile(to)
})

/** `pollen export` */
export const exportGrants = Effect.fn("exportGrants")(function* (options: ExportOptions, file: string | null) {
  yield* file === null ? exportToDatabase(options) : exportToFile(options, file)
})

import { Effect } from "effect"
import type { Mapping } from "../../migration/api/mapping.ts"
import type { Check, RefusedRow } from "../../migration/api/tables.ts"
import { Unfinished } from "../exit.ts"
import { formatCount } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { renderTable } from "../table.ts"
import { askToCheck } from "./askTables.ts"

const shown = 20

/** Renders the rows that cannot be imported: how many, and the first of them. */
export const renderRefused = (count: number, refused: ReadonlyArray<RefusedRow>): ReadonlyArray<string> => {
  if (count === 0) return []
  const rows = refused.slice(0, shown).map(({ key, reason, detail }) => [String(key), reason, detail])
  const rest = count - rows.length
  return [
    "",
    "Rows that are not understood, by key:",
    renderTable(rows, ["row", "reason", "detail"]),
    ...(rest === 0 ? [] : [`  … and ${formatCount(rest)} more; --json lists ${formatCount(refused.length)}`]),
  ]
}

/** Renders what the rows say against the mapping. */
const renderWarnings = (sampled: number, warnings: Check["warnings"]): ReadonlyArray<string> =>
  warnings.length === 0
    ? []
    : [
        "",
        "Columns that may not mean what they are mapped to:",
        ...warnings.map(
          ({ column, rows, detail }) => `  ${column}: ${formatCount(rows)} of ${formatCount(sampled)} ${detail}`,
        ),
      ]

interface Column {
  readonly of: keyof Check["examples"][number]
  readonly title: string
}

const ownerColumns: ReadonlyArray<Column> = [
  { of: "key", title: "row" },
  { of: "userId", title: "user" },
  { of: "provider", title: "provider" },
]

const columnsOf: { readonly [K in NonNullable<Mapping["what"]>]: ReadonlyArray<Column> } = {
  grants: [
    ...ownerColumns,
    { of: "expiresAt", title: "expires" },
    { of: "authorizedAt", title: "authorized" },
    { of: "isActive", title: "active" },
    { of: "scope", title: "scope" },
  ],
  follows: [
    ...ownerColumns,
    { of: "sourceId", title: "source" },
    { of: "title", title: "title" },
    { of: "polledAt", title: "polled" },
    { of: "itemCount", title: "items" },
  ],
  feed: [
    ...ownerColumns,
    { of: "sourceId", title: "source" },
    { of: "itemId", title: "item" },
    { of: "publishedAt", title: "published" },
    { of: "title", title: "title" },
  ],
}

const cell = (value: Check["examples"][number][Column["of"]]): string => {
  if (value === null || value === undefined) return "–"
  if (typeof value === "boolean") return value ? "yes" : "no"
  return typeof value === "object" ? value.join(" ") : String(value)
}

const renderCheck = (
  { table, what = "grants" }: Mapping,
  { rows, leftOut, sampled, understood, providers, examples, refused, warnings }: Check,
): string => {
  const columns = columnsOf[what]
  return [
    `${table} has ${formatCount(rows)} rows${
      leftOut === 0 ? "" : ` to read, and ${formatCount(leftOut)} that the mapping leaves out`
    }; of ${formatCount(sampled)} read, ${formatCount(understood)} are understood${
      providers.length === 0
        ? ""
        : `: ${providers.map((each) => `${formatCount(each.rows)} ${each.provider}`).join(", ")}`
    }.`,
    ...(examples.length === 0
      ? []
      : [
          "",
          "The first of them, as understood:",
          renderTable(
            examples.map((example) => columns.map(({ of }) => cell(example[of]))),
            columns.map(({ title }) => title),
          ),
        ]),
    ...renderRefused(sampled - understood, refused),
    ...renderWarnings(understood, warnings),
  ].join("\n")
}

/** `pollen migrate check` */
export const checkTable = Effect.fn("checkTable")(function* (mapping: Mapping, sample: number | undefined) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const check = yield* ask((api) => askToCheck(api, mapping, sample === undefined ? {} : { sample }))
  yield* outcome.tell(check, renderCheck(mapping, check))
  const notUnderstood = check.sampled - check.understood
  if (notUnderstood > 0) {
    return yield* new Unfinished({
      message: `${formatCount(notUnderstood)} of ${formatCount(check.sampled)} rows are not understood: correct the mapping, or import without them.`,
    })
  }
})

import { Clock, Context, Effect, Layer, Schema } from "effect"
import { DatabaseUnavailable } from "../domain/error.ts"
import { type Rollout, toRollout } from "../domain/rollout.ts"
import { type MovedStage, movedStages } from "../domain/stage.ts"
import { Conflict } from "../http/error.ts"
import type { Flags as FlagsDocument, ListChange, MoveFlagChange, StageFlagChange } from "./api/flags.ts"
import { Database, type Statement, statement } from "./Database.ts"

/** The row that holds the kill switch and the deny-list. */
const moveName = "move"

const UserIds = Schema.fromJsonString(Schema.Array(Schema.String))

const FlagRow = Schema.Struct({
  name: Schema.Literals([moveName, ...movedStages]),
  isEnabled: Schema.BooleanFromBit,
  percentage: Schema.Finite,
  allowList: UserIds,
  denyList: UserIds,
  updatedAt: Schema.Int,
})
type FlagRow = typeof FlagRow.Type

/** Selects the flags of the move. Rows with other names belong to somebody else. */
export const selectFlags: Statement = statement(
  `SELECT name, is_enabled AS isEnabled, percentage, allow_list AS allowList, deny_list AS denyList, updated_at AS updatedAt
   FROM feature_flags WHERE name IN (SELECT value FROM json_each(?1))`,
  JSON.stringify([moveName, ...movedStages]),
)

const decodeFlagRows = Schema.decodeUnknownEffect(Schema.Array(FlagRow))

/** Decodes flags. A row may have been written by hand: an unreadable one is an error, so that it moves nobody. */
export const decodeFlags = (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<FlagRow>, DatabaseUnavailable> =>
  Effect.mapError(
    decodeFlagRows(rows),
    ({ message }) =>
      new DatabaseUnavailable({ operation: "flags", reason: `feature_flags cannot be read: ${message}` }),
  )

const ofName = (rows: ReadonlyArray<FlagRow>, name: FlagRow["name"]) => rows.find((row) => row.name === name)

/**
 * Combines the flags. The kill switch is set when the row `move` is not enabled; without that row nothing is halted. A stage that is not
 * enabled has nobody, whatever its percentage and list say.
 */
export const rolloutOf = (rows: ReadonlyArray<FlagRow>): Rollout => {
  const move = ofName(rows, moveName)
  return toRollout(move !== undefined && !move.isEnabled, move?.denyList ?? [], (stage) => ofName(rows, stage))
}

const toDocument = (rows: ReadonlyArray<FlagRow>): FlagsDocument => ({
  isHalted: rolloutOf(rows).isHalted,
  denyList: ofName(rows, moveName)?.denyList ?? [],
  stages: movedStages.map((stage) => {
    const row = ofName(rows, stage)
    return {
      stage,
      isEnabled: row?.isEnabled ?? false,
      percentage: row?.percentage ?? 0,
      allowList: row?.allowList ?? [],
      updatedAt: row?.updatedAt ?? null,
    }
  }),
})

const changeList = (list: ReadonlyArray<string>, { set, add = [], remove = [] }: ListChange = {}) => {
  const changed = new Set([...(set ?? list), ...add])
  for (const userId of remove) changed.delete(userId)
  return [...changed]
}

/** The longest list of a flag, in user ids: the list is one value of a row, and every page of a run reads it. */
const listedAtMost = 10_000

// Of two operators who change a flag at once, the one who read the older row is refused.
const write = `INSERT INTO feature_flags (name, is_enabled, percentage, allow_list, deny_list, updated_at)
  VALUES (?1, ?2, ?3, ?4, ?5, max(?6, ?7 + 1))
  ON CONFLICT (name) DO UPDATE SET is_enabled = excluded.is_enabled, percentage = excluded.percentage,
    allow_list = excluded.allow_list, deny_list = excluded.deny_list, updated_at = excluded.updated_at
  WHERE feature_flags.updated_at = ?7 RETURNING name`

type FlagsError = DatabaseUnavailable | Conflict

/** The flags in `feature_flags`: the stages at which people should be, as operators declare them. */
export class Flags extends Context.Service<
  Flags,
  {
    readonly read: Effect.Effect<FlagsDocument, DatabaseUnavailable>
    readonly rollout: Effect.Effect<Rollout, DatabaseUnavailable>
    /** Both return all flags as they are after the change. `Conflict`: somebody else changed the same flag at the same time. */
    readonly changeMove: (change: MoveFlagChange) => Effect.Effect<FlagsDocument, FlagsError>
    readonly changeStage: (stage: MovedStage, change: StageFlagChange) => Effect.Effect<FlagsDocument, FlagsError>
  }
>()("pollen/migration/Flags") {
  static readonly layer: Layer.Layer<Flags, never, Database> = Layer.effect(
    Flags,
    Effect.gen(function* () {
      const database = yield* Database
      const rows = Effect.flatMap(database.rows("flags", selectFlags), decodeFlags)
      const read = Effect.map(rows, toDocument)

      const change = Effect.fn("Flags.change")(function* (name: FlagRow["name"], toChanged: (row: FlagRow) => FlagRow) {
        const before = ofName(yield* rows, name)
        const row = toChanged(
          before ?? { name, isEnabled: true, percentage: 0, allowList: [], denyList: [], updatedAt: 0 },
        )
        if (row.allowList.length > listedAtMost || row.denyList.length > listedAtMost) {
          return yield* new Conflict({
            reason: "list_too_long",
            detail: `The list would have more than ${listedAtMost} people; use a percentage instead`,
          })
        }
        const now = yield* Clock.currentTimeMillis
        const written = yield* database.rows(
          "flags",
          statement(
            write,
            name,
            row.isEnabled ? 1 : 0,
            row.percentage,
            JSON.stringify(row.allowList),
            JSON.stringify(row.denyList),
            now,
            before?.updatedAt ?? 0,
          ),
        )
        if (written.length === 0) {
          return yield* new Conflict({
            reason: "flag_changed",
            detail: "Somebody else changed this flag at the same time; read it and try again",
          })
        }
        return yield* read
      })

      return Flags.of({
        read,
        rollout: Effect.map(rows, rolloutOf),
        changeMove: ({ isHalted, denyList }) =>
          change(moveName, (row) => ({
            ...row,
            isEnabled: isHalted === undefined ? row.isEnabled : !isHalted,
            denyList: changeList(row.denyList, denyList),
          })),
        changeStage: (stage, { isEnabled, percentage, allowList }) =>
          change(stage, (row) => ({
            ...row,
            isEnabled: isEnabled ?? row.isEnabled,
            percentage: percentage ?? row.percentage,
            allowList: changeList(row.allowList, allowList),
          })),
      })
    }),
  )
}

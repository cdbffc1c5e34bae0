/** What one object has cost, as the platform bills it. */
export interface ObjectCounts {
  wakes: number
  /** Rows of its own SQLite; an alarm that is set is a row. */
  rowsWritten: number
  rowsRead: number
}

/** Counts of an object, and how they are read. */
export interface Counted {
  readonly counts: ObjectCounts
  readonly read: () => ObjectCounts
}

/** Counts what an object reads and writes from now on: to be called before anything else of it runs. */
export const countStorage = (storage: DurableObjectStorage): Counted => {
  const counts: ObjectCounts = { wakes: 0, rowsWritten: 0, rowsRead: 0 }
  let open: Array<SqlStorageCursor<Record<string, SqlStorageValue>>> = []
  /** A cursor has its count once it has been read. */
  const settle = () => {
    for (const cursor of open) {
      counts.rowsWritten += cursor.rowsWritten
      counts.rowsRead += cursor.rowsRead
    }
    open = []
  }
  const { sql } = storage
  const exec = sql.exec.bind(sql)
  const setAlarm = storage.setAlarm.bind(storage)
  const counting = new Proxy(sql, {
    get: (target, name) => {
      if (name !== "exec") {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === "function" ? member.bind(target) : member
      }
      return (...given: Parameters<SqlStorage["exec"]>) => {
        settle()
        const cursor = exec(...given)
        open.push(cursor)
        return cursor
      }
    },
  })
  Object.defineProperty(storage, "sql", { value: counting })
  Object.defineProperty(storage, "setAlarm", {
    value: (...given: Parameters<DurableObjectStorage["setAlarm"]>) => {
      counts.rowsWritten += 1
      return setAlarm(...given)
    },
  })
  return {
    counts,
    read: () => {
      settle()
      return { ...counts }
    },
  }
}

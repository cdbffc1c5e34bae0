import type { Mapping } from "../../migration/api/mapping.ts"
import type { Client } from "../operate/MigrationWorker.ts"

// What the migration worker is asked about another table: there is an endpoint for each thing that a table may have.

interface CheckOptions {
  /** Rows to read, from the start of the table. */
  readonly sample?: number
}

interface PageOptions {
  /** `next` of the page before. */
  readonly cursor?: string | number
  readonly limit: number
  readonly isDry: boolean
}

export const askToCheck = ({ tables }: Client, mapping: Mapping, options: CheckOptions) => {
  switch (mapping.what) {
    case "follows":
      return tables.checkFollows({ payload: { mapping, ...options } })
    case "feed":
      return tables.checkFeed({ payload: { mapping, ...options } })
    default:
      return tables.checkTable({ payload: { mapping, ...options } })
  }
}

export const askToImport = ({ tables }: Client, mapping: Mapping, options: PageOptions) => {
  switch (mapping.what) {
    case "follows":
      return tables.importFollows({ payload: { mapping, ...options } })
    case "feed":
      return tables.importFeed({ payload: { mapping, ...options } })
    default:
      return tables.importRows({ payload: { mapping, ...options } })
  }
}

import type { FeedMapping, FollowsMapping, Mapping } from "../../migration/api/mapping.ts"
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

const isFollows = (mapping: Mapping): mapping is FollowsMapping => mapping.what === "follows"
const isFeed = (mapping: Mapping): mapping is FeedMapping => mapping.what === "feed"

export const askToCheck = ({ tables }: Client, mapping: Mapping, options: CheckOptions) => {
  if (isFollows(mapping)) return tables.checkFollows({ payload: { mapping, ...options } })
  if (isFeed(mapping)) return tables.checkFeed({ payload: { mapping, ...options } })
  return tables.checkTable({ payload: { mapping, ...options } })
}

export const askToImport = ({ tables }: Client, mapping: Mapping, options: PageOptions) => {
  if (isFollows(mapping)) return tables.importFollows({ payload: { mapping, ...options } })
  if (isFeed(mapping)) return tables.importFeed({ payload: { mapping, ...options } })
  return tables.importRows({ payload: { mapping, ...options } })
}

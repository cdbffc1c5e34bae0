import { env } from "cloudflare:workers"

/** Steps of a plan that go through a table, or through a part of it that no key of the rows asked for narrows down. */
const isWide = (step: string): boolean =>
  (/^SCAN /.test(step) && !/VIRTUAL TABLE|CONSTANT ROW|subquery/i.test(step)) ||
  (/^SEARCH /.test(step) && !/\((.* )?(user_id|external_id|id|rowid|kind|operation)\b/.test(step))

/** How SQLite would run statements, as far as that would read more rows the more people there are. */
export const widePlans = async (statements: ReadonlyArray<string>) => {
  const wide: Array<string> = []
  for (const sql of new Set(statements)) {
    const parameters = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number)))
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...Array.from({ length: parameters }, () => null))
      .all<{ readonly detail: string }>()
    wide.push(...results.filter(({ detail }) => isWide(detail)).map(({ detail }) => `${detail}: ${sql}`))
  }
  return wide
}

import { env } from "cloudflare:workers"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { Database } from "../../src/migration/Database.ts"
import { readMetrics } from "../../src/migration/readMetrics.ts"
import { countOperations, type OperationCount } from "../../src/move/operations.ts"

const recordRun = (at: number, kind: string, figures: object) =>
  env.DB.prepare("INSERT INTO durable_object_metrics (at, kind, figures) VALUES (?1, ?2, ?3)")
    .bind(at, kind, JSON.stringify(figures))
    .run()

const report = (userId: string, operations: ReadonlyArray<object>) =>
  env.DB.prepare(
    `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, sources, failing_sources, accounts, operations)
     VALUES (?1, '', 1, 0, 0, '[]', ?2)`,
  )
    .bind(userId, JSON.stringify(operations))
    .run()

const read = (
  source: OperationCount["source"],
  outcome: string,
  count: number,
  totalMs: number,
  slowestMs: number,
) => ({
  ...({ operation: "read", source, outcome } as const),
  ...{ count, totalMs, slowestMs },
})

it("Both ways stand side by side: what cron's runs took, and who answered for tokens", async () => {
  await recordRun(900, "legacy_run", { found: 99, failed: 99, durationMs: 99_000, isComplete: true })
  await recordRun(1000, "legacy_run", { found: 5, failed: 1, durationMs: 100, isComplete: true })
  await recordRun(1001, "legacy_run", { found: 7, failed: 0, durationMs: 300, isComplete: false })
  await recordRun(1002, "cron_run", { found: 2, failed: 0, durationMs: 20, isComplete: true })
  await countOperations(env.DB, 1, [read("database", "ok", 1, 10, 10), read("mirror", "ok", 1, 4, 4)]).run()
  await countOperations(env.DB, 2, [read("database", "ok", 2, 50, 30)]).run()
  const of = (count: number, totalMs: number, slowestMs: number) => ({ count, totalMs, slowestMs })
  await report("ada", [{ operation: "read", outcome: "ok", ...of(4, 40, 15) }])
  await report("grace", [
    { operation: "read", outcome: "ok", ...of(1, 10, 10) },
    { operation: "refresh", outcome: "GrantRefused", ...of(1, 7, 7) },
  ])

  const { cron, tokens } = await Effect.runPromise(readMetrics(1000).pipe(Effect.provide(Database.layer(env.DB))))
  expect(cron.legacy).toMatchObject({
    ...{ runs: 2, incomplete: 1, lastAt: 1001, averageMs: 200, slowestMs: 300, totalMs: 400, people: 12, failed: 1 },
    last: { found: 7 },
  })
  expect(cron.objects).toMatchObject({
    runs: 1,
    incomplete: 0,
    averageMs: 20,
    totalMs: 20,
    people: 2,
    last: { found: 2 },
  })
  const told = tokens.map(({ operation, source, outcome, ...figures }) => [
    `${source} ${operation} ${outcome}`,
    figures,
  ])
  expect(Object.fromEntries(told)).toEqual({
    "database read ok": { count: 3, averageMs: 20, slowestMs: 30 },
    "mirror read ok": { count: 1, averageMs: 4, slowestMs: 4 },
    "object read ok": { count: 5, averageMs: 10, slowestMs: 15 },
    "object refresh GrantRefused": { count: 1, averageMs: 7, slowestMs: 7 },
  })
})

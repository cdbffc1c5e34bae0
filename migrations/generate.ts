import { execFileSync } from "node:child_process"
import { globSync, readFileSync, writeFileSync } from "node:fs"

/** Tables whose key is their order: one written row per insert. drizzle-kit cannot say so. */
const withoutRowid = [
  "users",
  "user_accounts",
  "subscriptions",
  "user_subscriptions",
  "feed_items",
  "user_feed_items",
  "durable_object_status",
  "token_operations",
  "migration_duplicates",
]

for (const schema of ["database", "object", "hub"]) {
  const known = new Set(globSync(`migrations/${schema}/*.sql`))
  execFileSync("drizzle-kit", ["generate", ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, POLLEN_SCHEMA: schema },
  })
  // The journal and the list of migrations that it writes are formatted like all else here.
  execFileSync("biome", ["check", "--write", "--no-errors-on-unmatched", `migrations/${schema}`], { stdio: "inherit" })
  if (schema !== "database") continue
  for (const file of globSync(`migrations/${schema}/*.sql`).filter((name) => !known.has(name))) {
    const tables = withoutRowid.join("|")
    const createTable = new RegExp(`(CREATE TABLE \`(?:${tables})\` \\([\\s\\S]*?\\n\\));`, "g")
    writeFileSync(file, readFileSync(file, "utf8").replace(createTable, "$1 WITHOUT ROWID;"))
  }
}

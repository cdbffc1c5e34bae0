import { defineConfig } from "drizzle-kit"

const schema = process.env["POLLEN_SCHEMA"]

/** `npm run db:generate` runs this once per database; see `migrations/generate.ts`. */
export default schema === "object" || schema === "hub"
  ? defineConfig({
      dialect: "sqlite",
      driver: "durable-sqlite",
      schema: `./schema/${schema}.ts`,
      out: `./migrations/${schema}`,
    })
  : defineConfig({ dialect: "sqlite", schema: "./schema/database.ts", out: "./migrations/database" })

import { defineConfig } from "drizzle-kit"

/** `npm run db:generate` runs this once per database; see `migrations/generate.ts`. */
export default process.env["POLLEN_SCHEMA"] === "object"
  ? defineConfig({
      dialect: "sqlite",
      driver: "durable-sqlite",
      schema: "./schema/object.ts",
      out: "./migrations/object",
    })
  : defineConfig({ dialect: "sqlite", schema: "./schema/database.ts", out: "./migrations/database" })

import { enableCompileCache } from "node:module"
import { run } from "../src/cli/run.ts"
import { pollen } from "./pollen.ts"

// What wrangler would say to its own users is of no interest here.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
})

// Wrangler is large: what has been compiled once need not be again.
enableCompileCache()

run(pollen)

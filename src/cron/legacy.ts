import type { LegacyVariables } from "../legacy/LegacySettings.ts"
import { runLegacy } from "../legacy/runLegacy.ts"
import type { CronEnv } from "./env.ts"

/** The old way, for whom D1 holds; docs/runbook-cleanup.md says how this file goes, with src/legacy. */
export const pollLegacy = (env: CronEnv & LegacyVariables) =>
  runLegacy({ variables: env, database: env.DB, importTokens: (payload) => env.CORE.importTokens(payload) })

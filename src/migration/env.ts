import type { MigrationEntrypoint } from "../core/entrypoints.ts"
import type { Checkpoint } from "./run/Steps.ts"

/** What an instance of the Workflow is given: the run, which instance of it this is, and where the one before it left off. */
export interface MoveParameters {
  readonly runId: string
  readonly instance: number
  readonly checkpoint: Checkpoint | null
}

/** The bindings of the migration worker, as its `wrangler.toml` declares them, its variables and secrets. */
export interface MigrationEnv {
  readonly CORE: Service<typeof MigrationEntrypoint>
  readonly DB: D1Database
  /** Where a table of another shape is, when not in `DB`; optional. */
  readonly OLD_DB?: D1Database
  readonly MOVE: Workflow<MoveParameters>
  /** Secret. The admin credential; at least 32 characters. */
  readonly ADMIN_TOKEN?: string
  /** Secret. Credentials of operators by name, `name:token` separated by commas; the audit trail has the names. */
  readonly ADMIN_TOKENS?: string
  /** `your-team.cloudflareaccess.com`, and the audience tag of the Access application; both, or neither. */
  readonly CF_ACCESS_TEAM_DOMAIN?: string
  readonly CF_ACCESS_AUD?: string
}

import type { MigrationEntrypoint } from "../core/entrypoints.ts"
import type { Checkpoint } from "./run/Steps.ts"

/** The parameters of a Workflow instance: the run, the number of the instance, and the point at which the one before stopped. */
export interface MoveParameters {
  readonly runId: string
  readonly instance: number
  readonly checkpoint: Checkpoint | null
}

/** The bindings, variables and secrets of the migration worker; its `wrangler.toml` declares the bindings. */
export interface MigrationEnv {
  readonly CORE: Service<typeof MigrationEntrypoint>
  readonly DB: D1Database
  /** Optional. The database of a table of another shape, if it is not in `DB`. */
  readonly OLD_DB?: D1Database
  /** Secret. Optional: the key with which an old system encrypted the tokens in its table, as base64. */
  readonly OLD_TOKEN_KEY?: string
  readonly MOVE: Workflow<MoveParameters>
  /** Subrequests that an instance of a run may make before another goes on; 9000 unless set. */
  readonly MOVE_REQUEST_LIMIT?: string
  /** Secret. The admin credential; at least 32 characters. */
  readonly ADMIN_TOKEN?: string
  /** Secret. Credentials of operators by name, `name:token` separated by commas; the audit trail has the names. */
  readonly ADMIN_TOKENS?: string
  /** `your-team.cloudflareaccess.com`, and the audience tag of the Access application. Both or neither are set. */
  readonly CF_ACCESS_TEAM_DOMAIN?: string
  readonly CF_ACCESS_AUD?: string
}

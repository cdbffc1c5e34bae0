import type { Grant, GrantInput, Provider } from "../simulator/model.ts"

/** A statement on D1. */
interface Statement {
  readonly sql: string
  readonly values: ReadonlyArray<string | number>
}

/** A consent of somebody whose grants D1 holds. */
export interface LegacyConsent extends GrantInput {
  readonly person: string
  readonly provider: Provider
}

const insertUsers = "INSERT OR IGNORE INTO users (id, created_at) SELECT value, ?2 FROM json_each(?1)"
const insertAccounts = `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope)
  SELECT value->>'userId', value->>'provider', ?2, value->>'accessToken', value->>'refreshToken', value->>'expiresAt', value->>'scope'
  FROM json_each(?1)`

/**
 * The rows that a system has before the move: tokens as they are, held by D1. `grants` are those of `consents`, in their order;
 * `now` is epoch milliseconds.
 */
export const legacyRows = (
  consents: ReadonlyArray<LegacyConsent>,
  grants: ReadonlyArray<Grant>,
  now: number,
): ReadonlyArray<Statement> => {
  const accounts = consents.flatMap(({ person, provider }, index) => {
    const grant = grants[index]
    return grant === undefined ? [] : [{ ...grant, userId: person, provider, scope: grant.scope.join(" ") }]
  })
  const people = [...new Set(consents.map(({ person }) => person))]
  return [
    { sql: insertUsers, values: [JSON.stringify(people), now] },
    { sql: insertAccounts, values: [JSON.stringify(accounts), now] },
  ]
}

import { Effect, Result } from "effect"
import { Misconfigured } from "../domain/error.ts"
import { adminTokenMinLength } from "./Authorization.ts"

/** An operators' credential, and whose it is. */
export interface Credential {
  readonly name: string
  readonly token: string
}

/** Whose `ADMIN_TOKEN` is: no other credential may have this name. */
const adminName = "admin"

const namePattern = /^[\w.@-]{1,64}$/

const problemOf = (credentials: ReadonlyArray<Credential>): string | undefined => {
  const isRepeated = (values: ReadonlyArray<string>) => new Set(values).size < values.length
  if (credentials.length === 0) return "holds no credential"
  if (credentials.some(({ name }) => !namePattern.test(name)))
    return "has a credential without a name of 1 to 64 characters"
  if (credentials.some(({ name }) => name === adminName))
    return `has the name ${adminName}, which is that of ADMIN_TOKEN`
  const short = credentials.find(({ token }) => token.length < adminTokenMinLength)
  if (short !== undefined)
    return `has a credential of fewer than ${adminTokenMinLength} characters, that of ${short.name}`
  if (isRepeated(credentials.map(({ name }) => name))) return "has a name twice"
  return isRepeated(credentials.map(({ token }) => token)) ? "has one credential for two names" : undefined
}

const parseNamed = (text: string): ReadonlyArray<Credential> =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf(":")
      return { name: part.slice(0, Math.max(0, at)), token: part.slice(at + 1) }
    })

const misconfigured = (problem: string) => Result.fail(new Misconfigured({ problem: `${problem}; ${howToSet}` }))

/** The credentials that the worker's secrets name: `ADMIN_TOKENS`, `name:token` separated by commas, and `ADMIN_TOKEN`. */
export const readCredentials = (secrets: {
  readonly ADMIN_TOKEN?: string
  readonly ADMIN_TOKENS?: string
}): Result.Result<ReadonlyArray<Credential>, Misconfigured> => {
  const { ADMIN_TOKEN, ADMIN_TOKENS } = secrets
  if (ADMIN_TOKEN !== undefined && ADMIN_TOKEN.length < adminTokenMinLength) {
    return misconfigured(`ADMIN_TOKEN has fewer than ${adminTokenMinLength} characters`)
  }
  const named = ADMIN_TOKENS === undefined ? [] : parseNamed(ADMIN_TOKENS)
  const problem = ADMIN_TOKENS === undefined ? undefined : problemOf(named)
  if (problem !== undefined) return misconfigured(`ADMIN_TOKENS ${problem}`)
  return Result.succeed([...named, ...(ADMIN_TOKEN === undefined ? [] : [{ name: adminName, token: ADMIN_TOKEN }])])
}

/** What to do where no credential is set. */
export const howToSet =
  "set one with `openssl rand -base64 32 | npx wrangler secret put ADMIN_TOKEN -c src/migration/wrangler.toml`"

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))

/**
 * The name of the credential that was given, if it is one. All are compared, by digests of one length, so that the time it takes tells
 * nothing about how much of a guess was right, or for whom.
 */
export const nameOf = (given: string, credentials: ReadonlyArray<Credential>): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    const shown = await digest(given)
    let name: string | undefined
    for (const credential of credentials) {
      if (crypto.subtle.timingSafeEqual(shown, await digest(credential.token))) name = credential.name
    }
    return name
  })

import { join, resolve } from "node:path"
import { Effect, Redacted } from "effect"
import { Failed, Misused } from "../exit.ts"
import { readTyped, resolveTyped } from "../files.ts"
import { localKeys } from "../state/keys.ts"
import { type RunningStack, readStacks } from "../state/stacks.ts"
import { isCheckout } from "../typed.ts"
import type { OperatorOptions } from "./options.ts"

/** The URL of the migration worker, and the headers that it accepts as credentials. */
export interface WorkerEndpoint {
  /** Without a slash at its end. */
  readonly url: string
  /** True for a worker on this machine. */
  readonly isLocal: boolean
  readonly headers: Readonly<Record<string, Redacted.Redacted>>
}

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname)

/** Refuses an unencrypted URL of another machine, over which anybody could read the credential. */
const checkUrl = Effect.fnUntraced(function* (text: string) {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return yield* new Misused({ message: `${text} is not the URL of a worker, such as https://migration.example.com.` })
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return yield* new Misused({
      message: `${url.origin} is neither this machine nor https: the credential would be sent unencrypted.`,
    })
  }
  return { url: url.href.replace(/\/+$/, ""), isLocal: isLoopback(url.hostname) }
})

const nonEmpty = (value: string | undefined): string | undefined => (value?.trim() ? value.trim() : undefined)

const credentialIn = "the admin credential"

const readCredential = Effect.fnUntraced(function* (file: string) {
  const credential = nonEmpty(yield* readTyped(file, credentialIn))
  return (
    credential ?? (yield* new Misused({ message: `${resolveTyped(file)} is empty; it should hold ${credentialIn}.` }))
  )
})

/** The headers by which Cloudflare Access recognizes a program: https://developers.cloudflare.com/cloudflare-one/identity/service-tokens/ */
const accessHeaders = (environment: NodeJS.ProcessEnv): Record<string, Redacted.Redacted> => {
  const id = nonEmpty(environment["POLLEN_ACCESS_CLIENT_ID"])
  const secret = nonEmpty(environment["POLLEN_ACCESS_CLIENT_SECRET"])
  if (id === undefined || secret === undefined) return {}
  return { "cf-access-client-id": Redacted.make(id), "cf-access-client-secret": Redacted.make(secret) }
}

const bearer = (credential: string) => ({ authorization: Redacted.make(`Bearer ${credential}`) })

const startedAt = (stack: RunningStack): string => new Date(stack.startedAt).toTimeString().slice(0, 8)

/** Finds the migration worker of the one stack that runs on this machine, and says on stderr which it is. */
const findLocal = Effect.fnUntraced(function* (stacks: ReadonlyArray<RunningStack>) {
  const [stack, ...others] = stacks
  if (stack === undefined) {
    return yield* new Misused({
      message: `Nothing says where the migration worker is: ${isCheckout ? "run npm start for one on this machine, or " : ""}give --url or POLLEN_MIGRATION_URL.`,
    })
  }
  if (others.length > 0) {
    const candidates = stacks.map(
      (one) => `  --url ${one.migrationUrl}   gateway at ${one.url}, started at ${startedAt(one)}`,
    )
    return yield* new Misused({
      message: [`${stacks.length} stacks run on this machine; say which one you mean:`, ...candidates].join("\n"),
    })
  }
  yield* Effect.sync(() => process.stderr.write(`asking the stack on this machine, at ${stack.url}\n`))
  return stack.migrationUrl
})

/** Finds the migration worker and its credential. Neither is ever taken from the command line, which others on a machine can read. */
export const findWorkerEndpoint = Effect.fn("findWorkerEndpoint")(function* (
  { url, credentialFile, stateDir }: OperatorOptions,
  environment: NodeJS.ProcessEnv = process.env,
) {
  const given = url ?? nonEmpty(environment["POLLEN_MIGRATION_URL"])
  const state = resolve(stateDir)
  const stacks = yield* readStacks(state)
  const worker = yield* checkUrl(given ?? (yield* findLocal(stacks)))
  const access = accessHeaders(environment)
  const credential =
    credentialFile === undefined ? nonEmpty(environment["POLLEN_ADMIN_TOKEN"]) : yield* readCredential(credentialFile)
  if (credential !== undefined)
    return { ...worker, headers: { ...access, ...bearer(credential) } } satisfies WorkerEndpoint
  if (Object.keys(access).length > 0) return { ...worker, headers: access } satisfies WorkerEndpoint
  if (stacks.some(({ migrationUrl }) => migrationUrl === worker.url)) {
    const { ADMIN_TOKEN } = yield* Effect.mapError(localKeys(state), ({ message }) => new Failed({ message }))
    return { ...worker, headers: bearer(ADMIN_TOKEN) } satisfies WorkerEndpoint
  }
  const here = worker.isLocal ? ` (npm start keeps this machine's in ${join(state, "keys.json")})` : ""
  return yield* new Misused({
    message: `${worker.url} needs a credential: set POLLEN_ADMIN_TOKEN, or give --credential-file${here}, or set POLLEN_ACCESS_CLIENT_ID and POLLEN_ACCESS_CLIENT_SECRET for Cloudflare Access.`,
  })
})

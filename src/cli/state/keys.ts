import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Redacted, Schema } from "effect"
import { gatewayKeyMinLength } from "../../gateway/bearer.ts"
import { adminTokenMinLength } from "../../migration/Authorization.ts"
import { parseKeyRing } from "../../object/keyring.ts"
import { CannotStart, toCannotStart } from "./error.ts"
import { makeFolder } from "./makeFolder.ts"

/** Where the stack of a checkout keeps its keys, relative to the repository. */
export const defaultStateDir = ".pollen"

/** The secrets of the local stack, in the names under which the workers read them. */
const Keys = Schema.Struct({
  TOKEN_KEYS: Schema.String,
  GATEWAY_KEY: Schema.String.pipe(Schema.check(Schema.isMinLength(gatewayKeyMinLength))),
  ADMIN_TOKEN: Schema.String.pipe(Schema.check(Schema.isMinLength(adminTokenMinLength))),
})
export type Keys = typeof Keys.Type

/** As they are kept: a file that is older than a key lacks it. */
const KeptKeys = Schema.Struct({ ...Keys.fields, ADMIN_TOKEN: Schema.optionalKey(Keys.fields.ADMIN_TOKEN) })

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(KeptKeys))

/** Keys that nobody has had before. */
export const generateKeys = (): Keys => {
  const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")
  return { TOKEN_KEYS: `k1:${random()}`, GATEWAY_KEY: random(), ADMIN_TOKEN: random() }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")

const keep = Effect.fnUntraced(function* (stateDir: string, file: string, keys: Keys) {
  yield* makeFolder(stateDir)
  yield* Effect.tryPromise({
    try: () => writeFile(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 }),
    catch: toCannotStart(stateDir),
  })
  return keys
})

/**
 * The keys of this checkout, made at the first start and kept in a file that only its owner reads and git ignores,
 * so that bearer tokens and sealed grants outlive a restart.
 */
export const localKeys = Effect.fn("localKeys")(function* (stateDir: string) {
  const file = join(stateDir, "keys.json")
  const text = yield* Effect.tryPromise({
    try: () => readFile(file, "utf8").catch((error: unknown) => (isMissing(error) ? null : Promise.reject(error))),
    catch: toCannotStart(file),
  })
  if (text === null) return yield* keep(stateDir, file, generateKeys())
  const kept = yield* Effect.mapError(
    decode(text),
    () =>
      new CannotStart({
        message: `${file} must hold TOKEN_KEYS, a GATEWAY_KEY of at least ${gatewayKeyMinLength} and an ADMIN_TOKEN of at least ${adminTokenMinLength} characters: delete it to have all made anew.`,
      }),
  )
  yield* Effect.mapError(
    parseKeyRing(Redacted.make(kept.TOKEN_KEYS)),
    ({ problem }) => new CannotStart({ message: `In ${file}: ${problem}` }),
  )
  const { ADMIN_TOKEN } = kept
  return ADMIN_TOKEN === undefined
    ? yield* keep(stateDir, file, { ...generateKeys(), ...kept })
    : ({ ...kept, ADMIN_TOKEN } satisfies Keys)
})

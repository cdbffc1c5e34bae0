import type { JsonPatch, PointerSet } from "../model/faults.ts"
import type { Answer } from "./answer.ts"

type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isList = (patch: JsonPatch): patch is ReadonlyArray<PointerSet> => Array.isArray(patch)

/** RFC 7396, 2. */
const merge = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const merged = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, merge(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

/** RFC 6901, 3 and 4. */
const steps = (pointer: string): ReadonlyArray<string> =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))

const at = (document: unknown, [step, ...rest]: ReadonlyArray<string>): unknown => {
  if (step === undefined) return document
  if (Array.isArray(document)) return at(document[Number(step)], rest)
  return isObject(document) ? at(document[step], rest) : undefined
}

/** `undefined` takes the member away. A path through what is not there changes nothing. */
const set = (document: unknown, [step, ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (step === undefined) return value
  if (Array.isArray(document)) {
    const index = step === "-" ? document.length : Number(step)
    if (!Number.isInteger(index) || index < 0 || index > document.length) return document
    if (rest.length > 0 && index === document.length) return document
    const changed = set(document[index], rest, value)
    return document.toSpliced(index, 1, ...(changed === undefined ? [] : [changed]))
  }
  if (!isObject(document) || (rest.length > 0 && !Object.hasOwn(document, step))) return document
  return { ...document, [step]: set(document[step], rest, value) }
}

/** The document with the patch applied; pointers that take a value `from` elsewhere take it from the document as it was. */
const patched = (document: unknown, patch: JsonPatch): unknown =>
  isList(patch)
    ? patch.reduce<unknown>(
        (changed, { path, value, from }) =>
          set(changed, steps(path), from === undefined ? value : at(document, steps(from))),
        document,
      )
    : merge(document, patch)

/** A 200 with JSON, changed; any other answer as it is. Only what was changed is told to the ledger. */
export const patchAnswer = (answer: Answer, patch: JsonPatch): Answer => {
  if (answer.status !== 200 || !answer.headers["content-type"]?.startsWith("application/json")) return answer
  // Nothing at all is no JSON: an empty body then.
  const body = JSON.stringify(patched(JSON.parse(answer.body), patch)) ?? ""
  return body === answer.body ? answer : { ...answer, body, fault: "patch" }
}

import { type Answer, type Call, header, json } from "./answer.ts"

/** A short name for a state (FNV-1a, twice with different starts): equal states, equal names. */
export const digest = (state: string): string => {
  let one = 0x811c9dc5
  let other = 0x01000193
  for (let index = 0; index < state.length; index++) {
    const code = state.charCodeAt(index)
    one = Math.imul(one ^ code, 0x01000193)
    other = Math.imul(other ^ code, 0x85ebca6b)
  }
  return (one >>> 0).toString(36) + (other >>> 0).toString(36)
}

/** Whether `If-None-Match` names the tag. Quotes and the mark of weakness are ignored, as RFC 9110 (13.1.2) has it. */
const isKnown = (call: Call, tag: string): boolean => {
  const known = header(call, "if-none-match")
  if (known === null) return false
  return known.split(",").some((candidate) => candidate.trim().replace(/^W\//, "").replaceAll('"', "") === tag)
}

/** 304 without a body to a client that has this state already; else the body, which is only built when it is needed. */
export const tagged = (
  call: Call,
  state: string,
  body: (tag: string) => unknown,
  headers: Readonly<Record<string, string>>,
): Answer => {
  const tag = digest(state)
  const etag = { ...headers, etag: `"${tag}"` }
  return isKnown(call, tag) ? { status: 304, headers: etag, body: "" } : json(200, body(tag), etag)
}

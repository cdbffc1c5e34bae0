import { hash } from "node:crypto"

/** 27 characters that look like an entity tag of YouTube's. */
export const digest = (text: string): string => hash("sha1", text, "base64url")

/** 86 characters of base64url, for tokens. */
export const longDigest = (text: string): string => hash("sha512", text, "base64url")

/** An unsigned 32-bit number that depends on every character (FNV-1a with a final mix). */
export const numberFrom = (text: string): number => {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export const randomFrom = (seed: string): (() => number) => {
  let state = numberFrom(seed)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of them, and always the same one for the same number. */
export const pick = <A>(choices: readonly [A, ...ReadonlyArray<A>], number: number): A =>
  choices[number % choices.length] ?? choices[0]
